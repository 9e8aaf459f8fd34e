/**
 * Which kernel should run, of what stands on disk now: the newest meta file that can be read and whose kernel was not
 * refused. Reads only. Asked by `kernel-swap.ts` at each look.
 */
import type { ErrorData } from '../contracts/errors.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { findKernel, type FoundKernel } from '../lib/kernel-source.ts'
import { kernelEntry } from '../lib/kernel-trial.ts'
import { findMetaFiles } from '../lib/meta-files.ts'
import { shownPath } from '../lib/shown-path.ts'
import type { Machine } from './machine.ts'
import type { RefusedVersions } from './refused-versions.ts'

export interface WantedKernel {
  found: FoundKernel | undefined
  /** of the newer ones, why they are not wanted */
  refused: Map<string, ErrorData>
}

export function wantedKernel(machine: Machine, versions: RefusedVersions): WantedKernel {
  const refused = new Map<string, ErrorData>()
  for (const { path } of findMetaFiles(machine.options.root, machine.options.fs)) {
    try {
      const found = findKernel(machine.options, path)
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
      refused.set(path, placed(machine, toErrorData(thrown)))
    }
  }
  return { found: undefined, refused }
}

/** With its file as people see it: from the root. */
export function placed({ options }: Machine, error: ErrorData): ErrorData {
  return error.file === undefined ? error : { ...error, file: shownPath(options.root, error.file) }
}
