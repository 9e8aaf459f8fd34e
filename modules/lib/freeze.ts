/** The file that freezes a system: where it stands and what is in it. `mm freeze` writes it, and so does the HTTP API. */
import { join } from 'node:path'

/** In the folder `runtime/` of a root. */
export const freezeFile = (runtime: string): string => join(runtime, 'FREEZE')

/** The word `all` anywhere in it freezes everything: no reason may say it by chance. */
export const freezeText = (scope: 'self' | 'all', reason?: string): string =>
  `${scope}${reason === undefined ? '' : `\n${reason.replaceAll(/\ball\b/g, 'every')}`}\n`
