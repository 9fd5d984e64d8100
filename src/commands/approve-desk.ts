/** What lies before somebody who is to answer a request: the request, where it came from, and what its map asks for. */

import { resolve } from 'node:path';
import { knownRequest } from '../approval/bring.ts';
import { previousOf } from '../approval/previous.ts';
import { type ApprovalRequest, parseRequest } from '../approval/request.ts';
import type { Previous } from '../approval/show-changes.ts';
import { standingOf } from '../approval/status.ts';
import { type ApprovalStore, openApprovals } from '../approval/store.ts';
import { readForeignFile } from '../base/foreign-file.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { StatePlace } from '../base/state.ts';
import { readJudgedMap } from '../decide.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import { mapOfRequest } from './approvals-map.ts';

export interface Desk {
  readonly state: StatePlace;
  readonly store: ApprovalStore;
  readonly request: ApprovalRequest;
  /** False for a request that another user or machine made: its map isn't here, and the answer goes back in a file. */
  readonly local: boolean;
  /** Null where the map isn't here. */
  readonly approvers: ReadonlyMap<string, Approver> | null;
  readonly demand: ApprovalDemand;
  readonly previous: Previous | null;
}

/** The request with this id, or the one in a file. Throws where no answer to it can count any more. */
export async function openDesk(
  context: CommandContext,
  named: { readonly id?: string | undefined; readonly request?: string | undefined },
): Promise<Desk> {
  const { ambient } = context;
  const state = openStateFor(context);
  const store = openApprovals(state.dir, ambient.uid);
  if ((named.id === undefined) === (named.request === undefined)) {
    throw new CapwrapError('ERR_USAGE', '"approve" takes the id of a request, or --request FILE', {
      hint: 'capwrap approvals',
    });
  }
  if (named.request !== undefined) {
    const request = requestIn(resolve(ambient.cwd, named.request), named.request);
    if (new Date().toISOString() > request.answer_by) throw overError(request, 'expired');
    return { state, store, request, local: false, approvers: null, demand: request.demand, previous: null };
  }
  const request = knownRequest(store, named.id ?? '');
  const map = mapOfRequest(context, request);
  if (map === null) {
    throw new CapwrapError(
      'ERR_APPROVAL_INVALID',
      `"${request.binding.map_path}" is not the map that ${request.id} was asked on`,
      {
        hint: 'ask again: run the command once more',
      },
    );
  }
  const { trust } = await readJudgedMap(context, request.binding.map_path, state);
  if (!trust.trusted) {
    throw new CapwrapError(
      'ERR_MAP_UNTRUSTED',
      `"${request.binding.map_path}" is not trusted: ${trust.why}`,
      { hint: trust.hint },
    );
  }
  if (JSON.stringify(request.demand) !== JSON.stringify(map.demand)) {
    throw new CapwrapError(
      'ERR_APPROVAL_INVALID',
      `"${request.id}" says that it needs something else than the map does: it was changed`,
      {
        hint: `capwrap deny ${request.id}`,
      },
    );
  }
  const { status } = standingOf(store, request, store.ledger.read(), map, new Date());
  if (status !== 'pending') throw overError(request, status);
  return { state, store, request, local: true, ...map, previous: previousOf(store, request, map) };
}

function overError({ id }: ApprovalRequest, status: string): CapwrapError {
  const why =
    status === 'ended' ? 'is over: the run that asked does not wait any more' : `is ${status} already`;
  return new CapwrapError(
    'ERR_APPROVAL_INVALID',
    `"${id}" ${status === 'expired' ? 'came too late to be answered' : why}`,
    {
      hint: 'capwrap approvals --all',
    },
  );
}

const LARGEST_REQUEST = 1024 * 1024;

function requestIn(path: string, named: string): ApprovalRequest {
  let text: string | null;
  try {
    text = readForeignFile(path, LARGEST_REQUEST);
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError('ERR_USAGE', `"${named}" can't be read (${code})`, {
      hint: `ls -ld ${shellQuote(named)}`,
    });
  }
  const request = text === null ? null : parseRequest(text);
  if (request !== null) return request;
  throw new CapwrapError('ERR_APPROVAL_INVALID', `"${named}" is not a request for approval, or was changed`, {
    hint: 'capwrap approvals --request ID > request.json, where it was asked for',
  });
}
