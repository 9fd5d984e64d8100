/** Which repository this is: the remote that names it, after git's URL rewriting. */
import { type Fact, known, unknown } from '../facts.ts';
import type { ConfigEntry } from './parse-config.ts';
import { parseRemoteUrl, type RemoteName } from './remote-url.ts';

/**
 * The repository's name from the remote `origin`, else from the only remote. The branch's upstream is not asked: it
 * may be a fork. `local` are the repository's own settings; rewriting (`url.<base>.insteadOf`) is taken from `all`.
 */
export function repoFact(local: readonly ConfigEntry[], all: readonly ConfigEntry[], shown: string): Fact {
  const remotes = remoteUrls(local);
  const name = remotes.has('origin') ? 'origin' : remotes.size === 1 ? [...remotes.keys()][0] : undefined;
  if (name === undefined) {
    return unknown(
      remotes.size === 0 ? `${shown} names no remote` : `${shown} names several remotes and no "origin"`,
    );
  }
  // The name is shown and recorded; whoever wrote it could have put a URL with a password there.
  if (!/^[\w./-]{1,100}$/.test(name)) return unknown(`the only remote in ${shown} has an unusual name`);
  const rewrites = rewriteRules(all);
  const names = (remotes.get(name) ?? []).map((url) => parseRemoteUrl(rewrite(url, rewrites)));
  const place = `remote "${name}" in ${shown}`;
  let found: RemoteName | undefined;
  for (const parsed of names) {
    if (typeof parsed === 'string') return unknown(`${place} ${parsed}`);
    if (found && parsed.repo !== found.repo) return unknown(`${place} has URLs of several repositories`);
    found ??= parsed;
  }
  return found ? known(found.repo, 'observed', `${place} (${found.host})`) : unknown(`${place} has no URL`);
}

/** The URLs of each remote; an empty URL clears those before it, as in git. */
function remoteUrls(entries: readonly ConfigEntry[]): Map<string, string[]> {
  const remotes = new Map<string, string[]>();
  for (const { key, value } of entries) {
    const name = /^remote\.(.+)\.url$/s.exec(key)?.[1];
    if (name === undefined) continue;
    const urls = remotes.get(name) ?? [];
    if (!value) urls.length = 0;
    else urls.push(value);
    remotes.set(name, urls);
  }
  return remotes;
}

interface Rewrite {
  readonly prefix: string;
  readonly base: string;
}

/** In the order of their bases' first mention, which decides between prefixes of one length (git's `remote.c`). */
function rewriteRules(entries: readonly ConfigEntry[]): Rewrite[] {
  const byBase = new Map<string, Rewrite[]>();
  for (const { key, value } of entries) {
    const base = /^url\.(.*)\.(?:push)?insteadof$/s.exec(key)?.[1];
    if (base === undefined) continue;
    const rules = byBase.get(base) ?? [];
    if (key.endsWith('.insteadof') && value) rules.push({ prefix: value, base });
    byBase.set(base, rules);
  }
  return [...byBase.values()].flat();
}

function rewrite(url: string, rules: readonly Rewrite[]): string {
  let best: Rewrite | undefined;
  for (const rule of rules) {
    if (url.startsWith(rule.prefix) && rule.prefix.length > (best?.prefix.length ?? 0)) best = rule;
  }
  return best ? best.base + url.slice(best.prefix.length) : url;
}
