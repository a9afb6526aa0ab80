/* The human's side of bench/terminal: runs a command on a PTY of 80 columns and 24 rows, as fast as a terminal can that shows nothing, and measures it. In C so that
 * the harness is not what is measured; wrappers.mjs compiles it.
 *
 *   pty flood SETTLE_MS SENTINEL command...   types a line, prints the seconds until SENTINEL has come
 *   pty echo  SETTLE_MS KEYS     command...   types KEYS characters at random intervals, prints the microseconds until each came back
 *   pty hold  SETTLE_MS -        command...   types a line once settled, and shows the command until stdin ends
 *
 * The first line of the output is the command's pid, the second "settled". Afterwards the command is hung up.
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

static char buffer[CARRY + 65536];
static size_t carried;
static int master;
static pid_t child;
static int over;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "pty: %s\n", what);
  kill(child, SIGKILL);
  exit(1);
}

static void type(const char *text, size_t length) {
  if (write(master, text, length) != (ssize_t)length) fail("the command takes no input");
}

/* Answers where the cursor is, as terminals do. */
static void answer(size_t length) {
  if (memmem(buffer, CARRY + length, "\033[6n", 4) != NULL && memmem(buffer + CARRY - 3, length + 3, "\033[6n", 4) != NULL) type("\033[1;1R", 6);
}

/* Reads once, for at most `ms`. Gives the bytes read, which are at buffer + CARRY; the end of what came before is ahead of them. */
static size_t take(int ms) {
  struct pollfd ready = {.fd = master, .events = POLLIN};
  if (ms >= 0 && poll(&ready, 1, ms) == 0) return 0;
  if (carried > 0) memmove(buffer, buffer + carried, CARRY);
  carried = 0;
  ssize_t got = read(master, buffer + CARRY, sizeof buffer - CARRY);
  if (got <= 0) {
    over = 1;
    return 0;
  }
  carried = (size_t)got;
  return (size_t)got;
}

static void settle(int ms) {
  double end = now() + ms / 1e3;
  for (double left; !over && (left = end - now()) > 0;) {
    size_t got = take((int)(left * 1e3) + 1);
    if (got > 0) answer(got);
  }
  if (over) fail("the command ended before it was measured");
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
    if (memmem(buffer + CARRY - length, got + length, sentinel, length) != NULL) break;
  }
  printf("%.6f\n", now() - begun);
}

static void echo(int keys) {
  srand(1);
  for (int i = 0; i < keys; i++) {
    char key = KEYS[i % (sizeof KEYS - 1)];
    /* A fast typist or key repeat, never in step with a timer. */
    double pause = now() + (15 + rand() % 45 + (rand() % 1000) / 1e3) / 1e3;
    for (double left; (left = pause - now()) > 0;) {
      struct pollfd ready = {.fd = master, .events = POLLIN};
      struct timespec t = {.tv_nsec = (long)(left * 1e9)};
      if (ppoll(&ready, 1, &t, NULL) > 0) answer(take(-1));
      if (over) fail("the command ended");
    }
    double typed = now();
    type(&key, 1);
    for (;;) {
      size_t got = take(PATIENCE_MS);
      if (got == 0) fail("a key never came back");
      if (memchr(buffer + CARRY, key, got) != NULL) break;
    }
    printf("%.1f\n", (now() - typed) * 1e6);
  }
}

static void hold(void) {
  struct pollfd either[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  char ignored;
  type("\n", 1);
  while (!over) {
    poll(either, 2, -1);
    if (either[0].revents != 0) take(-1);
    if (either[1].revents != 0 && read(0, &ignored, 1) <= 0) break;
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  child = forkpty(&master, NULL, NULL, &size);
  if (child < 0) return 1;
  if (child == 0) {
    setenv("TERM", "xterm-256color", 1);
    execvp(argv[4], argv + 4);
    _exit(127);
  }
  printf("%d\n", child);
  fflush(stdout);
  settle(atoi(argv[2]));
  if (strcmp(argv[1], "flood") == 0) flood(argv[3]);
  else if (strcmp(argv[1], "echo") == 0) echo(atoi(argv[3]));
  else hold();
  /* What is left of its output is read, so that it can end. */
  kill(child, SIGHUP);
  for (double end = now() + 3; !over && now() < end;) take(100);
  close(master);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}
