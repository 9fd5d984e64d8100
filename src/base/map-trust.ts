/** The grades of a map's trust, weakest first: a demand for one is met by it and by those after it. */
export const MAP_TRUST_GRADES = ['pinned_noninteractive', 'pinned', 'signed', 'admin_owned'] as const;

/** How the map's content came to be usable. */
export type MapTrust = (typeof MAP_TRUST_GRADES)[number];

/** True where `grade` meets a demand for `other`. */
export function isAtLeast(grade: MapTrust, other: MapTrust): boolean {
  return MAP_TRUST_GRADES.indexOf(grade) >= MAP_TRUST_GRADES.indexOf(other);
}
