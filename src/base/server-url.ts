/** A server that capwrap talks to, optionally under a path to which those of its API are added. */
export const SERVER_URL =
  /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?)(?:\/[^\s?#]*)?$/;
export const WANTS_SERVER_URL =
  'must be an https URL without user, query or fragment (http only for loopback)';
