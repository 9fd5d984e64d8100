/** Where the C library looks when a process has no PATH (`getconf PATH`); `env` in a `#!` line does the same. */
export const SYSTEM_PATH = '/bin:/usr/bin';
