/** The commands of the embedded issuer. */
import type { Command } from 'commander';
import * as help from '../ui/help.ts';
import type { Add } from './add.ts';
import { port } from './values.ts';

export function addIssuerCommands(add: Add, program: Command): void {
  const issuer = program
    .command('issuer')
    .helpCommand(false)
    .description('the embedded issuer')
    .addHelpText('after', help.ISSUER);
  add(issuer, 'init', "create the issuer's key, or rotate it", help.ISSUER_INIT, async (context, values) => {
    const { issuerInit } = await import('../commands/others.ts');
    return issuerInit(context, values);
  })
    .option('--issuer <url>', 'the issuer that tokens name')
    .option('--rotate', 'make a new key; tokens of the old one stay verifiable until they expire');
  add(issuer, 'jwks', 'print the public keys', help.ISSUER_JWKS, async (context) => {
    const { issuerJwks } = await import('../commands/others.ts');
    return issuerJwks(context, {});
  });
  add(
    issuer,
    'serve',
    'serve the public keys and the revocation list over HTTP',
    help.ISSUER_SERVE,
    async (context, values) => {
      const { issuerServe } = await import('../commands/others.ts');
      return issuerServe(context, values);
    },
  )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', port, 0);
  add(
    issuer,
    'verify [file]',
    'check a token from a file or standard input as a service would',
    help.ISSUER_VERIFY,
    async (context, values, file) => {
      const { issuerVerify } = await import('../commands/others.ts');
      return issuerVerify(context, { ...values, file });
    },
  )
    .option('--audience <audience>', 'the audience that the token must name')
    .option(
      '--scope <scope>',
      'a scope that the token must hold; may be given again',
      (one: string, all: string[] = []) => [...all, one],
    )
    .option('--issuer <url>', "the issuer that the token must name (default: this machine's own)")
    .option('--jwks <place>', "file or URL of the issuer's public keys")
    .option('--revoked <place>', 'file or URL of the revocation list')
    .option('--seen <file>', 'where the ids of presented tokens are kept')
    .option('--no-seen', 'keep no account of presented tokens')
    .option('--multi-use', 'a token may be presented more than once until its end');
}
