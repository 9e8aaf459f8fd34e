/** Work on a file whose failures are told in this service's words. Used by all its parts. */
import { coded } from '../../lib/errors.ts'
import { writeFailure } from '../../lib/write-failure.ts'

export function onDisk<T>(shown: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (typeof (error as { hint?: unknown }).hint === 'string') throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw coded('file_missing', { path: shown })
    if (code === 'ENOTDIR' || code === 'EEXIST') throw coded('file_kind', { path: shown, found: 'no folder' })
    if (code === 'EISDIR') throw coded('file_kind', { path: shown, found: 'a folder' })
    if (code === 'ELOOP') throw coded('path_outside', { path: shown })
    throw writeFailure(error, shown)
  }
}
