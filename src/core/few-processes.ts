// What to say where the system gives a user no more processes (ulimit -u): Node then aborts at its start, or waits for threads for ever. Used by whoever
// starts one of our own.

export const FEW_PROCESSES =
  "where processes are limited (ulimit -u), agent-run needs some 40 free ones, its threads counted: raise it, or end others";

/** Whether that is how what was said ended. */
export const isForWantOfProcesses = (said: string): boolean => /\bEAGAIN\b|SIGABRT|Resource temporarily unavailable/.test(said);
