import { userInfo } from 'node:os';

/** The login name of the running user, or `uid:N` where the password database has none, as is usual in containers. */
export function osUser(uid: number): string {
  try {
    const user = userInfo();
    // A name with anything unprintable in it could forge a line of a record's reader.
    if (user.uid === uid && /^[\x21-\x7e]{1,256}$/.test(user.username)) return user.username;
  } catch {
    // no entry for this user
  }
  return `uid:${uid}`;
}
