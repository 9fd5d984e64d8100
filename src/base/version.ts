declare const __CAPWRAP_VERSION__: string;

/** The version from package.json, put in at build time. */
export const VERSION = __CAPWRAP_VERSION__;
