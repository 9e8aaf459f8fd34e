/**
 * The loader of a simulation: reads specs instead of sources, from the simulated files, and makes classes of them. It
 * keeps the promises of the real one: a key by content, stamps that are empty while a file is fresh, what was missing.
 */
import { join } from 'node:path'
import type { Clock, CodeOwner, Evaluated, FileSystem, Loader, Scan } from '../../modules/contracts/seams.ts'
import { coded, fromErrorData, reasonOf, toErrorData } from '../../modules/lib/errors.ts'
import { shortHash } from '../../modules/lib/hash.ts'
import { exportsOf, ownError, type Stage } from './modules.ts'
import { KERNEL_FILE, readKernel } from './kernels.ts'
import { isHelper, readSpec, type ReadSpec, type Spec } from './spec.ts'

const FRESH_MS = 20

interface SimScan extends Scan {
  spec: Spec | undefined
}

interface Draft {
  files: Map<string, string>
  texts: Map<string, string>
  stamps: Map<string, string>
  missing: string[]
  modified_ms: number
  error: Scan['error']
}

export interface SimLoaderOptions {
  fs: FileSystem
  clock: Clock
  stage: Stage
  modules: string
  /** what the text of a kernel's file exports */
  kernel(text: string): Record<string, unknown>
}

export class SimLoader implements Loader {
  private readonly options: SimLoaderOptions
  /** Asked before each evaluation: what it returns is what the evaluation rejects with. */
  fault: ((entry: string) => Error | undefined) | undefined

  constructor(options: SimLoaderOptions) {
    this.options = options
  }

  scan = (entry: string): SimScan => this.graph(entry, (path, draft) => this.fromDisk(path, draft))

  scanTexts = (entry: string, texts: ReadonlyMap<string, string>): SimScan =>
    this.graph(entry, (path, draft) => {
      const text = texts.get(path)
      if (text !== undefined) keep(draft, path, text)
      else missing(draft, path)
      return text
    })

  scanWith = (entry: string, texts: ReadonlyMap<string, string | null>): SimScan =>
    this.graph(entry, (path, draft) => {
      const text = texts.get(path)
      if (text === undefined) return this.fromDisk(path, draft)
      if (text === null) missing(draft, path)
      else keep(draft, path, text)
      return text ?? undefined
    })

  packagesOf = (): Record<string, string> => ({})

  private graph(entry: string, read: (path: string, draft: Draft) => string | undefined): SimScan {
    const draft: Draft = {
      files: new Map(),
      texts: new Map(),
      stamps: new Map(),
      missing: [],
      modified_ms: 0,
      error: undefined,
    }
    const text = read(entry, draft)
    const isKernel = entry.endsWith(KERNEL_FILE)
    const found = text === undefined ? undefined : isKernel ? readKernelFile(text) : readSpec(text)
    if (found?.ok === false) {
      draft.error ??= toErrorData(coded('source_syntax', { reason: 'no such key' }, { file: entry, line: found.line }))
    }
    const spec = found?.ok === true ? found.spec : undefined
    for (const use of spec?.use ?? []) {
      const path = join(this.options.modules, use)
      const helper = read(path, draft)
      if (helper === undefined || isHelper(helper)) continue
      draft.error ??= toErrorData(coded('source_syntax', { reason: 'no helper' }, { file: path, line: 1 }))
    }
    const { error, ...rest } = draft
    const key = draft.texts.has(entry) ? sourceOf(draft.texts) : 'missing'
    return { entry, key, spec, ...rest, ...(error === undefined ? {} : { error }) }
  }

  private fromDisk(path: string, draft: Draft): string | undefined {
    const { fs, clock } = this.options
    try {
      const stat = fs.stat(path)
      const text = stat === undefined ? undefined : fs.read(path)
      if (stat === undefined || text === undefined) {
        missing(draft, path)
        return undefined
      }
      keep(draft, path, text)
      draft.stamps.set(path, Math.abs(clock.now() - stat.modified_ms) > FRESH_MS ? stat.key : '')
      draft.modified_ms = Math.max(draft.modified_ms, stat.modified_ms)
      return text
    } catch (thrown) {
      draft.missing.push(path)
      draft.error ??= toErrorData(coded('file_failed', { path, reason: reasonOf(thrown) }, { file: path }))
      return undefined
    }
  }

  evaluate = async (scan: Scan, owner: CodeOwner, limits: { evaluate_ms: number }): Promise<Evaluated> => {
    if (scan.error !== undefined) throw fromErrorData(scan.error)
    const fault = this.fault?.(scan.entry)
    if (fault !== undefined) throw fault
    const { spec } = scan as SimScan
    const { stage } = this.options
    const evaluation = stage.number()
    const api = owner.service
    stage.record({ kind: 'evaluated', evaluation, api, exclusive: spec?.mode === 'exclusive' })
    let dropped = false
    const release = (): void => {
      if (!dropped) stage.record({ kind: 'dropped', evaluation, api })
      dropped = true
    }
    if (scan.entry.endsWith(KERNEL_FILE))
      return { exports: this.options.kernel(scan.texts.get(scan.entry) ?? ''), release }
    if (spec?.evaluate_ms !== undefined) await stage.wait(Math.min(spec.evaluate_ms, limits.evaluate_ms))
    if (spec?.breaks === 'evaluate') {
      release()
      throw coded('module_threw', { reason: ownError('evaluate').message }, { file: scan.entry })
    }
    return { exports: spec === undefined ? {} : exportsOf(spec, scan.key, stage), release }
  }

  /** Errors of simulated code say whose they are. */
  ownerOf = (thrown: unknown): CodeOwner | undefined => (thrown as { owner?: CodeOwner } | null)?.owner
  placeOf = (): undefined => undefined
  stats = (): { sources: number; records: number; urls: number } => ({ sources: 0, records: 0, urls: 0 })
}

const readKernelFile = (text: string): ReadSpec =>
  readKernel(text) === undefined ? { ok: false, line: 1 } : { ok: true, spec: undefined }

function keep(draft: Draft, path: string, text: string): void {
  draft.files.set(path, shortHash(text))
  draft.texts.set(path, text)
}

function missing(draft: Draft, path: string): void {
  draft.missing.push(path)
  draft.error ??= toErrorData(coded('file_missing', { path }, { file: path }))
}

/** What a version is made from, as one short text. */
export const sourceOf = (texts: ReadonlyMap<string, string>): string =>
  shortHash([...texts].map(([path, text]) => `${path}\n${text}`).join('\n'))
