/**
 * `runtime/kernel-trial.json`: which kernel is on probation. It is written before the switch and removed when the kernel
 * is confirmed, taken back, or stopped in order: found at boot, it names a kernel that took the process with it. Written
 * by the kernel that hands over, removed and read by `run.ts`. Beside it: which kernels were refused, as a start has to
 * know before any kernel runs.
 */
import { join } from 'node:path'
import type { ErrorData } from '../contracts/errors.ts'
import type { KernelSource } from '../contracts/kernel.ts'
import type { FileSystem } from '../contracts/seams.ts'
import { coded, toErrorData } from './errors.ts'
import { writeFailure } from './write-failure.ts'

export const TRIAL_FILE = 'runtime/kernel-trial.json'

/** Throws `disk_full`, `read_only` or `file_failed`: without the note, a crash would be repeated at the next start. */
export function beginTrial(fs: FileSystem, root: string, source: KernelSource): void {
  writeNote(fs, root, () => `${JSON.stringify(source)}\n`)
}

/** The same, with what is there already: a disk that takes no writes is found before anything is tried. */
export function rehearseTrial(fs: FileSystem, root: string): void {
  writeNote(fs, root, () => fs.read(join(root, TRIAL_FILE)) ?? '{}\n')
}

function writeNote(fs: FileSystem, root: string, text: () => string): void {
  try {
    fs.write(join(root, TRIAL_FILE), text(), { mode: 0o600 })
  } catch (thrown) {
    throw writeFailure(thrown, TRIAL_FILE)
  }
}

/** Never throws: a note that stays costs one start on an older kernel, which says so. */
export function endTrial(fs: FileSystem, root: string): void {
  try {
    fs.remove(join(root, TRIAL_FILE))
  } catch {
    return
  }
}

/** undefined when there is none, or none that can be read. */
export function readTrial(fs: FileSystem, root: string): KernelSource | undefined {
  try {
    const value = JSON.parse(fs.read(join(root, TRIAL_FILE)) ?? 'null') as Partial<KernelSource> | null
    const parts = [value?.meta_file, value?.version, value?.config_hash, value?.source_key]
    return parts.every((part) => typeof part === 'string') ? (value as KernelSource) : undefined
  } catch {
    return undefined
  }
}

const REFUSED_FILE = 'runtime/refused.json'

/** The name under which a kernel stands among the versions that were refused. */
export const kernelEntry = (metaFile: string): string => `kernel ${metaFile}`

interface RefusedKernel {
  configHash: string
  sourceKey: string
  takenBack: string
  error?: ErrorData
}

/** Why these very files were refused before; undefined when they were not. Never throws. */
export function refusedBefore(fs: FileSystem, root: string, source: KernelSource): ErrorData | undefined {
  const entry = readRefused(fs, root)[kernelEntry(source.meta_file)] as Partial<RefusedKernel> | undefined
  if (entry?.configHash !== source.config_hash || entry.sourceKey !== source.source_key) return undefined
  return entry.error ?? toErrorData(coded('version_refused', { api: 'kernel', reason: entry.takenBack }))
}

/** Before any kernel runs. Throws what the file system throws. */
export function refuseOnDisk(fs: FileSystem, root: string, source: KernelSource, error: ErrorData): void {
  const { config_hash: configHash, source_key: sourceKey, meta_file } = source
  const entry: RefusedKernel = { configHash, sourceKey, takenBack: error.message, error }
  const all = { ...readRefused(fs, root), [kernelEntry(meta_file)]: entry }
  fs.write(join(root, REFUSED_FILE), `${JSON.stringify(all, undefined, 2)}\n`)
}

function readRefused(fs: FileSystem, root: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(fs.read(join(root, REFUSED_FILE)) ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
