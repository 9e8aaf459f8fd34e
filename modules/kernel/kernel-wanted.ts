/**
 * Which kernel should run, of what stands on disk now: the newest meta file that can be read and whose kernel was not
 * refused. Reads only. Asked by `kernel-swap.ts` at each look.
 */
import { ERRORS, type ErrorData } from '../contracts/errors.ts'
import { coded, codeOf, fromErrorData, reasonOf, toErrorData } from '../lib/errors.ts'
import { findKernel, type FoundKernel } from '../lib/kernel-source.ts'
import { kernelEntry } from '../lib/kernel-trial.ts'
import { findMetaFiles, type MetaFile } from '../lib/meta-files.ts'
import { shownPath } from '../lib/shown-path.ts'
import type { Machine } from './machine.ts'
import type { RefusedVersions } from './refused-versions.ts'

export interface WantedKernel {
  found: FoundKernel | undefined
  /** of the newer ones, why they are not wanted */
  refused: Map<string, ErrorData>
}

/** Throws `file_failed` where the disk does not say what stands there: that is no reason to go back to an older kernel. */
export function wantedKernel(machine: Machine, versions: RefusedVersions): WantedKernel {
  const refused = new Map<string, ErrorData>()
  for (const { path } of metaFilesOf(machine)) {
    try {
      const found = findKernel(machine.options, path)
      if (found.scan.error?.code === 'file_failed') throw fromErrorData(found.scan.error)
      const entry = versions.entries.get(kernelEntry(path))
      const same = entry?.configHash === found.source.config_hash && entry.sourceKey === found.source.source_key
      if (found.scan.error !== undefined) refused.set(path, placed(machine, found.scan.error))
      else if (!same) return { found, refused }
      else
        refused.set(
          path,
          entry.error ?? toErrorData(coded('version_refused', { api: 'kernel', reason: entry.takenBack })),
        )
    } catch (thrown) {
      const code = codeOf(thrown) ?? ''
      if (code === 'file_failed' || !Object.hasOwn(ERRORS, code)) throw unreadable(path, thrown)
      refused.set(path, placed(machine, toErrorData(thrown)))
    }
  }
  return { found: undefined, refused }
}

/** Throws `file_failed`. */
export function metaFilesOf({ options }: Machine): MetaFile[] {
  try {
    return findMetaFiles(options.root, options.fs)
  } catch (thrown) {
    throw unreadable('configs', thrown)
  }
}

const unreadable = (path: string, thrown: unknown): unknown =>
  codeOf(thrown) === 'file_failed'
    ? thrown
    : coded('file_failed', { path, reason: reasonOf(thrown) }, { file: path }, thrown)

/** With its file as people see it: from the root. */
export function placed({ options }: Machine, error: ErrorData): ErrorData {
  return error.file === undefined ? error : { ...error, file: shownPath(options.root, error.file) }
}
