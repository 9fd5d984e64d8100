/**
 * Variables that capwrap always sets in the child, so that no SDK or tool falls back on standing access: they
 * point at an empty file, at an empty folder, or turn a metadata service off. A map can neither pass nor set them.
 */
export const ISOLATION_NAMES = [
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'BOTO_CONFIG',
  'AWS_EC2_METADATA_DISABLED',
  'CLOUDSDK_CONFIG',
  'CLOUDSDK_CORE_CHECK_GCE_METADATA',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'NO_GCE_CHECK',
  'AZURE_CONFIG_DIR',
  'KUBECONFIG',
  'GH_CONFIG_DIR',
] as const;

export type IsolationName = (typeof ISOLATION_NAMES)[number];
