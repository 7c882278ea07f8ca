/** An absolute form without a login; a target of any other kind is refused. */
const PLAIN_ABSOLUTE = /^https?:\/\/[^/@]*(?:\/|$)/i;

/**
 * A target's path for those who look at requests later, also of a target that could not be read. Never its query or
 * fragment, and never a login before its host: passwords and tokens travel there.
 */
export const loggedPath = (target: string): string => {
  const end = target.search(/[?#]/);
  return withoutLogin(end < 0 ? target : target.slice(0, end));
};

/** A target, its query cut off before, without the login of an absolute form, however it is spelt. */
export const withoutLogin = (path: string): string =>
  path.startsWith('/') || PLAIN_ABSOLUTE.test(path) ? path : path.slice(path.lastIndexOf('@') + 1);
