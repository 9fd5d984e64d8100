/** Examples at the end of each command's help. Every one of them is run in the tests. */

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

export const PROGRAM = `${examples(
  'capwrap init                                              write a starter map',
  'capwrap trust                                             review it and pin its content',
  'capwrap run -c publish-preview-build -- ./publish.sh      run one command with its credential',
  'capwrap explain publish-preview-build -- ./publish.sh     why it would be allowed or denied',
  'capwrap audit list                                        what was granted, and how it ended',
)}
Exit status of run: the command's own, 128+s where signal s ended it, 120 usage, 121 map, 122 denied,
123 no credential, 124 time over, 125 capwrap failed, 126 not executable, 127 not found.
`;

export const RUN = examples(
  'capwrap run -c publish-preview-build -- ./scripts/publish-preview.sh',
  'capwrap run -c rotate-cache-key -j "cache poisoned" --ttl 5m -- make rotate',
  'capwrap run -c read-ci-artifacts --dry-run -- ./scripts/fetch-artifacts.sh',
  'capwrap run --approval 2f6c0e9a7b11',
);
export const EXPLAIN = examples(
  'capwrap explain publish-preview-build -- ./scripts/publish-preview.sh',
  'capwrap explain publish-preview-build --environment staging --json',
);
export const LIST = examples('capwrap list', 'capwrap list --json');
export const APPROVALS = examples('capwrap approvals', 'capwrap approvals --all --json');
export const APPROVE = examples(
  'capwrap approve 2f6c0e9a7b11',
  'capwrap approve 2f6c0e9a7b11 --key ~/.ssh/id_ed25519_sk --uses 3 --for 2h',
  'capwrap approve --request request.json --key ~/.ssh/id_ed25519 > approval.json',
);
export const DENY = examples('capwrap deny 2f6c0e9a7b11 --reason "not on a Friday"');
export const LEASES = examples('capwrap leases', 'capwrap leases --json', 'capwrap leases reap');
export const LEASES_END = examples('capwrap leases end 9f8c6b6a41d2e07c');
export const LEASES_REAP = examples('capwrap leases reap', 'capwrap leases reap --json');
export const CHECK = examples(
  'capwrap check',
  'capwrap check capabilities.yaml --format github',
  'capwrap check --against main',
  'capwrap check --against HEAD~1 --fail-on any --json',
);
export const TRUST = examples(
  'capwrap trust',
  'capwrap trust --list',
  'capwrap trust --sha256 DIGEST capabilities.yaml',
  'capwrap trust --statement > map.json',
  'ssh-keygen -Y sign -n capwrap-map -f ~/.ssh/id_ed25519 map.json',
  'capwrap trust --signature map.json.sig',
  'capwrap trust --key ~/.ssh/id_ed25519',
);
export const UNTRUST = examples(
  'capwrap untrust',
  'capwrap untrust --sha256 DIGEST capabilities.yaml',
  'capwrap untrust --forget',
);
export const INIT = examples(
  'capwrap init',
  'capwrap init --aws-role publish-preview-build --principal arn:aws:iam::123456789012:user/agent-base',
);
export const DOCTOR = examples('capwrap doctor', 'capwrap doctor --offline --json');
export const SCHEMA = examples('capwrap schema > capabilities.schema.json');
export const COMPLETION = examples('eval "$(capwrap completion bash)"', 'capwrap completion fish | source');
export const AUDIT = examples(
  'capwrap audit list --since 2h',
  'capwrap audit stats --since 30d',
  'capwrap audit show LEASE',
  'capwrap audit verify',
);
export const AUDIT_LIST = examples(
  'capwrap audit list',
  'capwrap audit list --capability publish-preview-build --since 2h --json',
  'capwrap audit list --repo "acme/*" --status unfinished',
);
export const AUDIT_RECONCILE = examples(
  'capwrap audit reconcile --events ./AWSLogs --complete --data-events',
  'capwrap audit reconcile --since 48h --lookup --profile security-audit --region us-east-1 --region eu-west-1',
  'capwrap audit reconcile --lease 9f8c6b6a41d2e07c --again --events ./AWSLogs --dry-run --json',
);
export const AUDIT_SHOW = examples('capwrap audit show 9f8c6b6a41d2e07c');
export const AUDIT_STATS = examples(
  'capwrap audit stats --since 30d',
  'capwrap audit stats --capability publish-preview-build --json',
);
export const AUDIT_TAIL = examples(
  'capwrap audit tail -n 20',
  'capwrap audit tail -f',
  'capwrap audit tail --follow --json',
);
export const AUDIT_ROTATE = examples('capwrap audit rotate', 'capwrap audit rotate --now --json');
export const AUDIT_VERIFY = examples(
  'capwrap audit verify',
  'capwrap audit verify --json',
  'capwrap audit verify --anchor heads.log --anchor anchors.jsonl',
  'journalctl -t capwrap -o cat | capwrap audit verify --anchor -',
  'capwrap audit verify --anchor anchors.jsonl --anchor-key ~/.ssh/id_ed25519.pub',
);
export const AUDIT_ANCHOR = examples(
  'capwrap audit anchor --key ~/.ssh/id_ed25519 -o anchors.jsonl',
  'capwrap audit anchor > anchor.json',
  'ssh-keygen -Y sign -n capwrap-audit -f ~/.ssh/id_ed25519 anchor.json',
);
export const AUDIT_SHIP = examples(
  'capwrap audit ship',
  'capwrap audit ship --follow',
  'capwrap audit ship --status --json',
);
export const AUDIT_EXPORT = examples(
  'capwrap audit export --format csv -o leases.csv --since 2026-01-01 --until 2026-04-01',
  'capwrap audit export --format jsonl --repo acme/web-app > records.jsonl',
);
export const AUDIT_REPORT = examples(
  'capwrap audit report -o report.html',
  'capwrap audit report --since 24h --capability publish-preview-build -o report.html',
  'capwrap audit report --lease LEASE -o - > lease.html',
);
export const ISSUER = examples('capwrap issuer init', 'capwrap issuer serve --port 8787');
export const ISSUER_INIT = examples(
  'capwrap issuer init --issuer https://artifacts.acme.test',
  'capwrap issuer init --rotate',
);
export const ISSUER_JWKS = examples('capwrap issuer jwks > jwks.json');
export const ISSUER_SERVE = examples('capwrap issuer serve --port 8787');
export const ISSUER_VERIFY = examples(
  'capwrap issuer verify --audience artifacts --scope artifacts:read < token.jwt',
);
