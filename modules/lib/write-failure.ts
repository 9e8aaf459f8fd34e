/** What a failed write means to the person who has to mend it: a full disk, a folder that is not ours, or anything else. */
import { coded, reasonOf, type CodedError } from './errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const CLOSED = new Set(['EROFS', 'EACCES', 'EPERM'])

/** `disk_full`, `read_only` or `file_failed`. `path` is shown as given. */
export function writeFailure(thrown: unknown, path: string): CodedError {
  const code = (thrown as { code?: unknown } | null)?.code
  if (typeof code === 'string' && FULL.has(code)) return coded('disk_full', { path }, {}, thrown)
  if (typeof code === 'string' && CLOSED.has(code)) return coded('read_only', { path, reason: code }, {}, thrown)
  return coded('file_failed', { path, reason: reasonOf(thrown) }, {}, thrown)
}
