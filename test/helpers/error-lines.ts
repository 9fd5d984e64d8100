/** Lines with which capwrap reports an error; there must be one for each failure. */
export const ERROR_LINES = /^capwrap: error: /gm;
