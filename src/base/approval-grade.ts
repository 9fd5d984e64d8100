/** What an approval was reached with, weakest first: a demand for one is met by it and by those after it. */
export const APPROVAL_GRADES = ['none', 'terminal', 'ssh_key', 'ssh_key_touch', 'ssh_key_verified'] as const;

/**
 * `terminal`: typed on a terminal, which an agent that owns the terminal can do, too. `ssh_key`: signed with a key of an
 * approver. `ssh_key_touch`: by a hardware key that somebody touched. `ssh_key_verified`: that also asked for a PIN or
 * a fingerprint.
 */
export type ApprovalGrade = (typeof APPROVAL_GRADES)[number];

/** The grades that somebody's answer can have. */
export type AnswerGrade = Exclude<ApprovalGrade, 'none'>;

/** True where `reached` is at least as strong as `demanded`. */
export function meetsGrade(reached: ApprovalGrade, demanded: ApprovalGrade): boolean {
  return APPROVAL_GRADES.indexOf(reached) >= APPROVAL_GRADES.indexOf(demanded);
}

/** The weakest of some grades; `none` of no grade at all. */
export function weakestGrade(grades: readonly ApprovalGrade[]): ApprovalGrade {
  const weakest = Math.min(...grades.map((grade) => APPROVAL_GRADES.indexOf(grade)));
  return APPROVAL_GRADES[weakest] ?? 'none';
}
