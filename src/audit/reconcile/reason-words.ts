/** The reasons that keep a verdict open, in words: why silence says nothing, and what would change that. */
import type { OpenReason } from '../record/reconciled-record.ts';

export function reasonWords(reason: OpenReason): string {
  return WORDS[reason];
}

const WORDS: Readonly<Record<OpenReason, string>> = {
  not_expired: 'the credential, or one obtained with it, has not expired: it can still be used',
  delivery_delay: 'it expired less than 15 minutes before the search: events may still be on their way',
  run_end_unknown: "no end of the run is recorded: which calls were the run's can't be told",
  calls_at_run_end: 'calls were made so shortly after the run that they may be its own, or not',
  clock_unknown: "this machine's clock then can't be compared with AWS's",
  issue_not_seen: 'the call that issued the credential is not in what was searched, although it must exist',
  coverage_not_stated: 'nobody says that the files are complete: --complete',
  end_not_covered: 'no event of the account in the files is from 15 minutes or more after the expiry',
  too_old: 'LookupEvents reaches back 90 days, and the lease is older: it was not asked',
  regions_not_searched:
    'it can be used in regions that were not searched; where not: --region with --only-regions',
  global_region_not_searched:
    'services without a region (IAM, CloudFront) are recorded in one that was not searched',
  data_events_not_recorded:
    'its scope has data events, which only a trail told to record them has: --data-events',
  recording_unknown: 'how CloudTrail records some action of its scope is not known here',
  scope_unknown: 'its record does not hold the whole scope',
  events_unreadable: 'a file or an event could not be read, or two events contradict each other',
  search_cut: 'there was more than is read',
  other_session_seen: 'another key acted under its session name while the run went on',
  service_acted_after_end: "a service acted for it after the run; on whose request can't be told",
  credentials_obtained: "further credentials were obtained with it, and their use isn't wholly visible",
  reuse_recorded_before: 'an earlier search found a reuse of it, and this one does not have it',
  no_credential_recorded:
    'its run died, or refused what it got, before a key id was recorded: there is nothing to look for',
  issue_record_missing:
    'the record of its issue is not in the log any more: what it was, and since when, is not told',
};
