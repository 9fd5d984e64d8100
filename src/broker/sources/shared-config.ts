/** The AWS SDK's own reader of shared config files, for text that capwrap has read itself. */
import { randomUUID } from 'node:crypto';
import { externalDataInterceptor, loadSharedConfigFiles } from '@smithy/core/config';

export type Profile = Readonly<Record<string, string | undefined>>;

export interface SharedConfig {
  readonly configFile: Readonly<Record<string, Profile>>;
  readonly credentialsFile: Readonly<Record<string, Profile>>;
}

/** Parses the texts as the SDK would parse the files. Nothing of them stays in the SDK's memory of files. */
export async function parseSharedConfig(configText: string, credentialsText: string): Promise<SharedConfig> {
  const configFilepath = `capwrap:config:${randomUUID()}`;
  const filepath = `capwrap:credentials:${randomUUID()}`;
  externalDataInterceptor.interceptFile(configFilepath, configText);
  externalDataInterceptor.interceptFile(filepath, credentialsText);
  try {
    return await loadSharedConfigFiles({ configFilepath, filepath });
  } finally {
    const files = externalDataInterceptor.getFileRecord();
    delete files[configFilepath];
    delete files[filepath];
  }
}
