/* The human's side of bench/terminal: runs a command on a PTY of 80 columns and 24 rows, as fast as a terminal can that shows nothing, and measures it. In C so that
 * the harness is not what is measured; wrappers.mjs compiles it.
 *
 *   pty flood SETTLE_MS SENTINEL command...   types a line, prints the seconds until SENTINEL has come
 *   pty echo  SETTLE_MS KEYS     command... [@@ command...]...
 *                                             types KEYS characters into each command, which take turns at random intervals, and prints the command's number
 *                                             and the microseconds until the character came back
 *   pty hold  SETTLE_MS -        command...   types a line once settled, and shows the command until stdin ends
 *
 * The first line of the output is the first command's pid, the second "settled". Afterwards the commands are hung up.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What follows a sentinel or key that is looked for over the border of two reads. */
#define CARRY 64
#define PATIENCE_MS 5000
/* The keys: none of them is in a status line or an escape sequence of the wrappers. */
static const char KEYS[] = "~`^|{}";

#define MOST_COMMANDS 8

/* A command on its PTY, and what was read of it last. */
static struct command {
  char buffer[CARRY + 65536];
  size_t carried;
  int master;
  pid_t child;
  int over;
} commands[MOST_COMMANDS], *it = commands;
static int count;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "pty: %s\n", what);
  for (int i = 0; i < count; i++) kill(commands[i].child, SIGKILL);
  exit(1);
}

static void type(const char *text, size_t length) {
  if (write(it->master, text, length) != (ssize_t)length) fail("the command takes no input");
}

/* Answers where the cursor is, as terminals do. */
static void answer(size_t length) {
  if (memmem(it->buffer, CARRY + length, "\033[6n", 4) != NULL && memmem(it->buffer + CARRY - 3, length + 3, "\033[6n", 4) != NULL) type("\033[1;1R", 6);
}

/* Reads once, for at most `ms`. Gives the bytes read, which are at it->buffer + CARRY; the end of what came before is ahead of them. */
static size_t take(int ms) {
  struct pollfd ready = {.fd = it->master, .events = POLLIN};
  if (ms >= 0 && poll(&ready, 1, ms) == 0) return 0;
  if (it->carried > 0) memmove(it->buffer, it->buffer + it->carried, CARRY);
  it->carried = 0;
  ssize_t got = read(it->master, it->buffer + CARRY, sizeof it->buffer - CARRY);
  if (got <= 0) {
    it->over = 1;
    return 0;
  }
  it->carried = (size_t)got;
  return (size_t)got;
}

/* Waits until `end`, and lets each command go on meanwhile. */
static void serve(double end) {
  for (double left; (left = end - now()) > 0;) {
    struct pollfd ready[MOST_COMMANDS];
    struct timespec t = {.tv_sec = (time_t)left, .tv_nsec = (long)((left - (time_t)left) * 1e9)};
    for (int i = 0; i < count; i++) ready[i] = (struct pollfd){.fd = commands[i].master, .events = POLLIN};
    if (ppoll(ready, count, &t, NULL) <= 0) continue;
    for (int i = 0; i < count; i++) {
      it = &commands[i];
      if (ready[i].revents != 0) answer(take(-1));
      if (it->over) fail("a command ended before it was measured");
    }
  }
  it = commands;
}

static void settle(int ms) {
  serve(now() + ms / 1e3);
  puts("settled");
  fflush(stdout);
}

static void flood(const char *sentinel) {
  size_t length = strlen(sentinel);
  alarm(120);
  double begun = now();
  type("\n", 1);
  for (;;) {
    size_t got = take(-1);
    if (got == 0) fail("the end of the flood never came");
    if (memmem(it->buffer + CARRY - length, got + length, sentinel, length) != NULL) break;
  }
  printf("%.6f\n", now() - begun);
}

static void echo(int keys) {
  srand(1);
  for (int i = 0; i < keys * count; i++) {
    char key = KEYS[(i / count) % (sizeof KEYS - 1)];
    /* For each command a fast typist or key repeat, never in step with a timer. */
    serve(now() + (15 + rand() % 45 + (rand() % 1000) / 1e3) / 1e3 / count);
    it = &commands[i % count];
    double typed = now();
    type(&key, 1);
    for (;;) {
      size_t got = take(PATIENCE_MS);
      if (got == 0) fail("a key never came back");
      if (memchr(it->buffer + CARRY, key, got) != NULL) break;
    }
    printf("%d %.1f\n", i % count, (now() - typed) * 1e6);
  }
}

static void hold(void) {
  struct pollfd either[2] = {{.fd = it->master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  char ignored;
  type("\n", 1);
  while (!it->over) {
    poll(either, 2, -1);
    if (either[0].revents != 0) take(-1);
    if (either[1].revents != 0 && read(0, &ignored, 1) <= 0) break;
  }
}

static void start(char **words) {
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  if (count == MOST_COMMANDS) fail("too many commands");
  it = &commands[count];
  it->child = forkpty(&it->master, NULL, NULL, &size);
  if (it->child < 0) fail("no PTY");
  if (it->child == 0) {
    setenv("TERM", "xterm-256color", 1);
    execvp(words[0], words);
    _exit(127);
  }
  count++;
}

/* What is left of its output is read, so that it can end. */
static void hang_up(void) {
  kill(it->child, SIGHUP);
  for (double end = now() + 3; !it->over && now() < end;) take(100);
  close(it->master);
  kill(it->child, SIGKILL);
  waitpid(it->child, NULL, 0);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  for (int i = 4, first = 4; i <= argc; i++) {
    if (i < argc && strcmp(argv[i], "@@") != 0) continue;
    argv[i] = NULL;
    start(argv + first);
    first = i + 1;
  }
  it = commands;
  printf("%d\n", it->child);
  fflush(stdout);
  settle(atoi(argv[2]));
  if (strcmp(argv[1], "flood") == 0) flood(argv[3]);
  else if (strcmp(argv[1], "echo") == 0) echo(atoi(argv[3]));
  else hold();
  for (int i = 0; i < count; i++) {
    it = &commands[i];
    hang_up();
  }
  return 0;
}
