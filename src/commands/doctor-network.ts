/** What `capwrap doctor` says of the issuers that the map names: whether they answer, and whose clock is off. */
import { readCaFile } from '../broker/ca-file.ts';
import { exchangeHttp, HttpFault } from '../broker/http-exchange.ts';
import { describeHttpFault } from '../broker/http-fault.ts';
import { measureSkew } from '../broker/measure-skew.ts';
import { parseRoleArn, regionalEndpoint } from '../broker/providers/aws-sts/arn.ts';
import type { Capability } from '../policy/capability.ts';
import type { AwsStsConfig } from '../policy/providers/aws-sts.ts';
import { type Check, check, look } from './doctor-check.ts';

/** Milliseconds that one host may take. */
const TIMEOUT_MS = 3000;
/** Seconds of difference from which on somebody should know. */
const WARN_SKEW = 5;

/** Asks each host once, all at the same time, with an unsigned GET of `/`. `skip` says why none is asked; null asks. */
export async function lookAtNetwork(
  capabilities: readonly Capability[],
  skip: string | null,
): Promise<Check[]> {
  const endpoints = new Map<string, AwsStsConfig>();
  for (const { config } of capabilities) {
    if (config.provider === 'aws-sts') endpoints.set(`${endpointOf(config)} ${config.caFile}`, config);
  }
  return Promise.all(
    [...endpoints.values()].map((config) => {
      const url = new URL(endpointOf(config));
      const name = `endpoint ${url.host}`;
      if (skip !== null) return check(name, 'skipped', `not asked: ${skip}`);
      return look(name, () => endpointCheck(name, url, config.caFile));
    }),
  );
}

function endpointOf(config: AwsStsConfig): string {
  return config.endpoint ?? regionalEndpoint(config.region, parseRoleArn(config.roleArn).partition);
}

async function endpointCheck(name: string, url: URL, caFile: string | null): Promise<Check> {
  const ca = readCaFile(caFile);
  const sentAt = new Date();
  try {
    const answer = await exchangeHttp({
      url: new URL('/', url),
      method: 'GET',
      headers: { accept: '*/*' },
      ca,
      connectTimeoutMs: TIMEOUT_MS,
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return clockCheck(name, measureSkew(answer.headers['date'], sentAt, new Date()));
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    const { text, hint } = describeHttpFault(error, 'endpoint');
    return check(name, 'problem', `"${url.host}" ${text}`, hint ?? null);
  }
}

function clockCheck(name: string, skew: number | null): Check {
  if (skew === null)
    return check(name, 'warning', 'answers without a usable Date header, so the clock was not compared');
  if (Math.abs(skew) < WARN_SKEW) return check(name, 'ok', 'answers, and its clock agrees');
  const detail = `answers; the clock of this machine is ${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}`;
  return check(name, 'warning', detail, 'set the clock, such as with: timedatectl set-ntp true');
}
