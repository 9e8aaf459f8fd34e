/**
 * The collectable module loader: `import(file?v=n)` keeps every version of a file for ever, this one forgets them.
 * A facade over the graph (what the code is), the evaluator (running it) and the stacks (finding the way back).
 * Made once by `run.ts`; kernels, modules and threads get their code through it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import v8 from 'node:v8'
import type {
  Clock,
  CodeOwner,
  ContentCache,
  Evaluated,
  FaultListener,
  FileSystem,
  Loader,
  Scan,
} from '../contracts/seams.ts'
import { coded, codeOf, fromErrorData, reasonOf } from '../lib/errors.ts'
import { Compiler } from './compile.ts'
import { BODY_NAMES, Evaluator } from './evaluate.ts'
import { Sources, type GraphScan } from './graph.ts'
import { installedPackages, scanChanged, scanKept } from './kept.ts'
import { Resolver } from './resolve.ts'
import { Stacks } from './stacks.ts'

export interface LoaderOptions {
  root: string
  packageRoot: string
  fs: FileSystem
  clock: Clock
  /** Told every late error of evaluated code. Must not throw. */
  fault: FaultListener
  /** code transformed before, perhaps by another process */
  cache?: ContentCache
}

export class ModuleLoader implements Loader {
  private readonly options: LoaderOptions & { libEntry: string }
  private readonly sources: Sources
  private readonly stacks = new Stacks()
  private readonly evaluator: Evaluator
  private readonly clock: Clock
  private readonly uninstall: () => void

  constructor(options: LoaderOptions) {
    // V8's compilation cache keeps scripts alive (16 KB a reload); without it they go.
    v8.setFlagsFromString('--no-compilation-cache')
    const library = join(options.packageRoot, 'modules', 'lib', 'index')
    const libEntry = existsSync(`${library}.ts`) ? `${library}.ts` : `${library}.js`
    this.options = { ...options, libEntry }
    this.sources = new Sources({ ...options, resolver: new Resolver(this.options) })
    this.clock = options.clock
    const { cache, fault } = options
    const compiler = new Compiler({ names: BODY_NAMES, cache, code: () => this.sources.code() })
    this.evaluator = new Evaluator({ compiler, stacks: this.stacks, fault })
    this.uninstall = this.stacks.install()
  }

  scan(entry: string): Scan {
    return this.sources.scan(entry)
  }

  scanTexts(entry: string, texts: ReadonlyMap<string, string>): Scan {
    return scanKept(entry, texts, this.options)
  }

  scanWith(entry: string, texts: ReadonlyMap<string, string | null>): Scan {
    return scanChanged(entry, texts, this.options)
  }

  packagesOf(scan: Scan): Record<string, string> {
    return installedPackages(scan as GraphScan, this.options.fs)
  }

  async evaluate(scan: Scan, owner: CodeOwner, limits: { evaluate_ms: number }): Promise<Evaluated> {
    if (scan.error !== undefined) throw fromErrorData(scan.error)
    const work = this.evaluator.evaluate(scan as GraphScan, owner)
    const late = new Promise<never>((_resolve, reject) => {
      const token = this.clock.after(limits.evaluate_ms, () => {
        reject(coded('module_timeout', { ms: limits.evaluate_ms }, { file: scan.entry }))
        // Evaluation cannot be stopped; when it ends after all, it is dropped.
        work.then((evaluated) => evaluated.release()).catch(() => undefined)
      })
      const disarm = (): void => this.clock.clear(token)
      work.then(disarm, disarm)
    })
    try {
      return await Promise.race([work, late])
    } catch (thrown) {
      throw this.explain(thrown, scan)
    }
  }

  ownerOf(thrown: unknown): CodeOwner | undefined {
    return this.stacks.ownerOf(thrown)
  }

  placeOf(thrown: unknown): { file: string; line: number; column: number } | undefined {
    return this.stacks.placeOf(thrown)
  }

  /** The same for a place (1-based) of code as it runs, under the URL of its script. */
  placeAt(url: string, line: number, column: number): { file: string; line: number; column: number } | undefined {
    return this.stacks.placeAt(url, line, column)
  }

  stats(): { sources: number; records: number; urls: number } {
    return { sources: this.sources.size, records: this.evaluator.size, urls: this.stacks.size }
  }

  /** Takes the stack formatter out again. For tests that make many loaders in one process. */
  dispose(): void {
    this.uninstall()
  }

  private explain(thrown: unknown, scan: Scan): unknown {
    const ours = [
      'module_timeout',
      'import_missing',
      'export_missing',
      'source_unsupported',
      'module_threw',
      'file_missing',
    ]
    if (ours.includes(codeOf(thrown) ?? '')) return thrown
    return coded('module_threw', { reason: reasonOf(thrown) }, this.placeOf(thrown) ?? { file: scan.entry }, thrown)
  }
}
