/** What a failed write means to the person who has to mend it: a full disk, a folder that is not ours, or anything else. */
import { coded, reasonOf, type CodedError } from './errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])
const CAUSES_MAX = 8
/** It may work the next time: nothing is told of it but what it says itself. */
const FAILING = /^(?:EIO$|SQLITE_IOERR)/
const CLOSED = new Set(['EROFS', 'EACCES', 'EPERM', 'SQLITE_READONLY'])

/** A disk or a folder that takes no writes, whoever reports it; undefined for any other failure. */
export function writeRefusal(thrown: unknown, path: string): CodedError | undefined {
  const code = (thrown as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return undefined
  if (FULL.has(code)) return coded('disk_full', { path }, {}, thrown)
  return CLOSED.has(code) ? coded('read_only', { path, reason: code }, {}, thrown) : undefined
}

/** Whether this, or what lies behind it, is a disk or a folder that takes no writes, or fails: it may take them later. */
export function isRefusedWrite(thrown: unknown): boolean {
  let error = thrown
  for (let depth = 0; depth < CAUSES_MAX && typeof error === 'object' && error !== null; depth++) {
    const { code, cause } = error as { code?: unknown; cause?: unknown }
    if (code === 'disk_full' || code === 'read_only' || writeRefusal(error, '') !== undefined) return true
    if (typeof code === 'string' && FAILING.test(code)) return true
    error = cause
  }
  return false
}

/** `disk_full`, `read_only` or `file_failed`. `path` is shown as given. */
export function writeFailure(thrown: unknown, path: string): CodedError {
  return writeRefusal(thrown, path) ?? coded('file_failed', { path, reason: reasonOf(thrown) }, {}, thrown)
}
