/** A Credential Access Boundary: what Google takes, and what people read. https://cloud.google.com/iam/docs/downscoping-short-lived-credentials */
import { anotherOne, type MapChange } from '../../diff/change.ts';
import { compareTokens } from '../../diff/compare-tokens.ts';

export interface BoundaryRule {
  /** `//storage.googleapis.com/projects/_/buckets/NAME` */
  readonly resource: string;
  readonly permissions: readonly string[];
  /** CEL; null for none. */
  readonly condition: string | null;
}

/** Characters that the JSON of a boundary may have. */
export const MAX_BOUNDARY_LENGTH = 2048;

/** The value of `accessBoundary` in the options of the exchange. */
export function accessBoundary(rules: readonly BoundaryRule[]) {
  return {
    accessBoundaryRules: rules.map(({ resource, permissions, condition }) => ({
      availableResource: resource,
      availablePermissions: permissions,
      ...(condition !== null && { availabilityCondition: { expression: condition } }),
    })),
  };
}

/** `roles/storage.objectViewer on bucket acme-previews if ...`. Not escaped. */
export function boundaryText({ resource, permissions, condition }: BoundaryRule): string {
  const roles = permissions.map((permission) => permission.replace('inRole:', '')).join(', ');
  const bucket = resource.slice(resource.lastIndexOf('/') + 1);
  return `${roles} on bucket ${bucket}${condition === null ? '' : ` if ${condition}`}`;
}

/** A rule that is written in another way counts as another one: CEL has no order that can be told. */
export function compareBoundaries(
  before: readonly BoundaryRule[] | null,
  after: readonly BoundaryRule[] | null,
  at: string,
): MapChange[] {
  const texts = (rules: readonly BoundaryRule[]) => rules.map(boundaryText);
  if (before !== null && after !== null) return compareTokens(texts(before), texts(after), at);
  if (before === after) return [];
  const line = (rules: readonly BoundaryRule[] | null) => rules && texts(rules).join('; ');
  return [anotherOne(after === null ? 'widening' : 'narrowing', at, 'boundary', line(before), line(after))];
}
