/** The map's word for a field of the validated form: `role_arn` for `roleArn`. */
export function mapWord(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
