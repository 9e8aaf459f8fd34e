/**
 * What a reload leaves behind: heap per reload and resident memory over many reloads of one module whose source
 * changes each time, through the running kernel, beside `import(file?v=n)` of the same JavaScript. Each in a process
 * of its own. Run: npm run bench -- heap [reloads]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startSystem } from '../test/support/system.ts'
import { collect, machine, moduleSource, round, table } from './support.ts'

interface Result {
  heap_kb: number
  rss_quarter_mb: number
  rss_end_mb: number
}

/** Times that memory is read. */
const SAMPLES = 100

const [, , kind, bytesText, reloadsText] = process.argv
const reloads = Number(reloadsText ?? (kind === 'child' ? 0 : (kind ?? 10_000)))

/**
 * The heap: its slope between a quarter of the way (warm) and the end. Resident memory goes up and down by half with how
 * the engine happens to fill its pages, the more so on a busy machine; what is held shows in its lowest values: of
 * the second quarter, and of the last one.
 */
async function measure(count: number, reload: (version: number) => Promise<unknown>): Promise<Result> {
  const samples: { heapUsed: number; rss: number }[] = []
  for (let version = 1; version <= count; version++) {
    await reload(version)
    if (version % Math.floor(count / SAMPLES) !== 0) continue
    collect()
    samples.push(process.memoryUsage())
  }
  const quarter = SAMPLES / 4
  const heapAt = (place: number): number => samples[place]?.heapUsed ?? Number.NaN
  const lowest = (from: number, to: number): number => Math.min(...samples.slice(from, to).map(({ rss }) => rss))
  return {
    heap_kb: (heapAt(SAMPLES - 1) - heapAt(quarter - 1)) / 1024 / (count * 0.75),
    rss_quarter_mb: lowest(quarter - 1, 2 * quarter) / 1e6,
    rss_end_mb: lowest(3 * quarter, SAMPLES) / 1e6,
  }
}

async function kernelChild(bytes: number, count: number): Promise<Result> {
  const system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': moduleSource(bytes, 0) })
  await system.live('m')
  const result = await measure(count, async (version) => {
    system.root.writeByRename('modules/m.ts', moduleSource(bytes, version))
    const { ok, error } = await system.reload('m')
    if (!ok) throw new Error(JSON.stringify(error))
    // The log of the test system keeps every line: that is no part of what a reload leaves behind.
    system.log.length = 0
  })
  await system.stop()
  return result
}

async function importChild(bytes: number, count: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'mm-bench-'))
  const file = join(folder, 'm.mjs')
  const plain = (version: number): string => moduleSource(bytes, version).replace(/: (number|string)/g, '')
  const result = await measure(count, async (version) => {
    writeFileSync(file, plain(version))
    const { Module } = (await import(`${pathToFileURL(file).href}?v=${version}`)) as { Module: new () => unknown }
    return new Module()
  })
  rmSync(folder, { recursive: true })
  return result
}

if (kind === 'child') {
  const [, , , , , how] = process.argv
  const work = how === 'kernel' ? kernelChild : importChild
  console.log(JSON.stringify(await work(Number(bytesText), reloads)))
  process.exit(0)
}

const rows: string[][] = []
for (const bytes of [10_240, 102_400]) {
  for (const how of ['kernel', 'import(?v=)']) {
    // The leak of 100 KB modules by import() would need gigabytes at full size.
    const count = how === 'kernel' ? reloads : Math.min(reloads, bytes > 50_000 ? 1_000 : 4_000)
    const args = [
      ...process.execArgv,
      process.argv[1] ?? '',
      'child',
      String(bytes),
      String(count),
      how === 'kernel' ? 'kernel' : 'import',
    ]
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    const result = JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '{}') as Result
    const growth = (result.rss_end_mb / result.rss_quarter_mb - 1) * 100
    rows.push([
      `${bytes / 1024} KB`,
      how,
      String(count),
      `${round(result.heap_kb, 3)} KB`,
      `${round(result.rss_quarter_mb, 0)} → ${round(result.rss_end_mb, 0)} MB`,
      `${round(growth, 1)} %`,
    ])
  }
}
console.log(`### What a reload leaves behind (${machine()})\n`)
console.log(
  table(['module', 'by', 'reloads', 'heap per reload', 'lowest RSS, second → last quarter', 'RSS growth'], rows),
)
