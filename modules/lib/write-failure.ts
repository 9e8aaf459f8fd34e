/** What a failed write means to the person who has to mend it: a full disk, a folder that is not ours, or anything else. */
import { coded, reasonOf, type CodedError } from './errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])
const CLOSED = new Set(['EROFS', 'EACCES', 'EPERM', 'SQLITE_READONLY'])

/** A disk or a folder that takes no writes, whoever reports it; undefined for any other failure. */
export function writeRefusal(thrown: unknown, path: string): CodedError | undefined {
  const code = (thrown as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return undefined
  if (FULL.has(code)) return coded('disk_full', { path }, {}, thrown)
  return CLOSED.has(code) ? coded('read_only', { path, reason: code }, {}, thrown) : undefined
}

/** `disk_full`, `read_only` or `file_failed`. `path` is shown as given. */
export function writeFailure(thrown: unknown, path: string): CodedError {
  return writeRefusal(thrown, path) ?? coded('file_failed', { path, reason: reasonOf(thrown) }, {}, thrown)
}
