/**
 * Fields of the provider `github-app`. Limits are those of
 * https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
 */
import * as v from 'valibot';
import {
  kind,
  line,
  listOf,
  mapping,
  maybe,
  must,
  oneOf,
  path,
  serverUrl,
  text,
} from '../../schema-fields.ts';

export const PERMISSION_LEVELS = ['read', 'write', 'admin'] as const;
export type PermissionLevel = (typeof PERMISSION_LEVELS)[number];

/** An id, with or without quotes. */
function number(wants: string) {
  return v.pipe(
    v.number(wants),
    v.integer(wants),
    v.minValue(1, wants),
    v.maxValue(Number.MAX_SAFE_INTEGER, wants),
  );
}

const APP = "must be the app's client id or its number";
const INSTALLATION = 'must be the number of an installation';

const repository = text(
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  'must be OWNER/NAME',
  201,
);

export const gitHubAppFields = {
  provider: kind('github-app', 'A token of an installation of a GitHub App'),
  app_id: must(
    v.union([number(APP), text(/^[A-Za-z0-9._-]+$/, APP, 64)], APP),
    'Client id of the app, or its number',
  ),
  installation_id: maybe(
    v.union([number(INSTALLATION), text(/^[1-9]\d{0,15}$/, INSTALLATION)], INSTALLATION),
    'The installation; found from the first repository where it is left out',
  ),
  api_url: maybe(
    serverUrl,
    'Address of the API; default https://api.github.com, https://HOST/api/v3 for GitHub Enterprise Server',
  ),
  ca_file: maybe(path, 'PEM bundle that replaces the built-in roots for api_url'),
  private_key_file: maybe(path, 'File with a private key of the app (PEM), readable by you alone'),
  private_key_command: maybe(
    listOf(line(4096)),
    'A program that prints the private key, with its arguments; its path is relative to the map',
  ),
  repositories: must(
    v.union([listOf(repository), oneOf('all')], 'must be a list of OWNER/NAME, or all'),
    'Repositories of one owner that the token reaches; all: whatever the installation has',
  ),
  permissions: must(
    v.union(
      [
        mapping(
          v.pipe(
            v.record(
              text(/^[a-z][a-z_]*$/, 'must be a permission such as contents', 64),
              oneOf(...PERMISSION_LEVELS),
            ),
            v.minEntries(1, 'must not be empty'),
          ),
          'Levels by permission',
        ),
        oneOf('all'),
      ],
      'must be a mapping such as {contents: read}, or all',
    ),
    'What the token may do there; GitHub adds "metadata: read"; all: whatever the installation has',
  ),
  git: maybe(
    oneOf('helper', 'none'),
    "Whether git over HTTPS gets the token through a credential helper in the child's environment; default helper",
  ),
};
