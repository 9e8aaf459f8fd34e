/** What all benchmarks share: percentiles, a line about the machine, Markdown tables. Numbers are medians of rounds. */
import { openSync, readSync } from 'node:fs'
import { cpus } from 'node:os'

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

export function machine(): string {
  const [cpu] = cpus()
  const date = new Date().toISOString().slice(0, 10)
  return `Node ${process.versions.node}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${date}`
}

export const round = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A TypeScript module of about `bytes`, whose text differs with `version`. */
export function moduleSource(bytes: number, version: number): string {
  const methods: string[] = []
  let size = 200
  for (let index = 0; size < bytes; index++) {
    const text = `  method${index}(a: number, b: string): string { const x = { a, b, n: ${index} }; return JSON.stringify(x) + b }`
    methods.push(text)
    size += text.length + 1
  }
  return `// version ${version}\nexport class Module {\n  version(): number { return ${version} }\n${methods.join('\n')}\n}\n`
}

/** Files of a root with many services, each with a config and a 3 KB module of its own. */
export function manyServices(count: number): Record<string, string> {
  const files: Record<string, string> = {}
  for (let index = 0; index < count; index++) {
    files[`configs/s${index}.yml`] = 'version: 0\n'
    files[`modules/s${index}.ts`] = moduleSource(3_072, index)
  }
  return files
}

type Collect = (how?: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

/**
 * Collects garbage and gives the emptied pages back. A plain `gc()` keeps a pool of them, whose size (0–150 MB) depends on
 * when the engine last collected by itself: resident memory read after it says nothing about what is held.
 */
export const collect = (): void => {
  const { gc } = globalThis as { gc?: Collect }
  if (gc === undefined) throw new Error('run with --expose-gc')
  gc()
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/**
 * Milliseconds the main thread has waited for a processor so far, because another process had it. Asking takes 4 µs. Linux
 * counts it; elsewhere it is 0, and what is measured holds what other processes took.
 */
export function createWaits(): () => number {
  let file: number
  try {
    file = openSync('/proc/self/schedstat', 'r')
  } catch {
    return () => 0
  }
  const bytes = Buffer.alloc(64)
  return () => {
    const length = readSync(file, bytes, 0, bytes.length, 0)
    return Number(bytes.toString('latin1', 0, length).split(' ')[1]) / 1e6
  }
}
