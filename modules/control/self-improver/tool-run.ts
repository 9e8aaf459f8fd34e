/**
 * Runs a development tool of the root, or of the package, over two copies of what a change is about: `before` and `after`,
 * so that only what the change brings is held against it. The tools read; they run no code of either. A root without the
 * tool has no such check, and says so.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { KernelApi } from '../../contracts/module.ts'
import { coded } from '../../lib/errors.ts'
import { giveWay } from '../../lib/give-way.ts'
import type { Candidate } from './candidate.ts'
import { textAt } from './disk.ts'
import { ownTests } from './own-tests.ts'

export const PACKAGE_ROOT = join(import.meta.dirname, '..', '..', '..')
const OUTPUT_CHARS_MAX = 8_000_000

export interface Tool {
  name: string
  version: string
  /** what Node runs */
  program: string
  /** the `node_modules` it was found in */
  modules: string
}

/** Of the root first: that is the version people there use. Packages a service installed at run time do not count. */
export function findTool(root: string, name: string): Tool | undefined {
  for (const modules of moduleFolders(root)) {
    const file = join(modules, name, 'package.json')
    if (!existsSync(file)) continue
    const { version, bin } = JSON.parse(readFileSync(file, 'utf8')) as {
      version: string
      bin?: string | Record<string, string>
    }
    const program = typeof bin === 'string' ? bin : Object.values(bin ?? {})[0]
    if (program !== undefined) return { name, version, program: join(modules, name, program), modules }
  }
  return undefined
}

function moduleFolders(root: string): string[] {
  const folders = [join(root, 'node_modules')]
  for (let at = PACKAGE_ROOT; ; at = dirname(at)) {
    folders.push(join(at, 'node_modules'))
    if (at === dirname(at)) return folders.filter((folder) => existsSync(folder))
  }
}

export interface Copy {
  folder: string
  /** from `before`, and from `after` */
  files: string[]
}

/** Makes the two copies for as long as `work` takes. */
export async function withCopy<T>(root: string, candidate: Candidate, work: (copy: Copy) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mm-check-'))
  try {
    const files = new Set<string>()
    const write = (side: string, path: string, text: string): void => {
      if (path.startsWith('/') || path.split('/').includes('..')) return
      const file = join(folder, side, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      if (/\.[cm]?[tj]s$/.test(path)) files.add(path)
    }
    for (const subject of candidate.subjects) {
      for (const [path, text] of Object.entries(subject.before)) write('before', path, text)
      for (const [path, text] of Object.entries(subject.after)) write('after', path, text)
      const { there, brought } = ownTests(root, subject, candidate)
      for (const side of ['before', 'after']) for (const [path, text] of Object.entries(there)) write(side, path, text)
      for (const [path, text] of Object.entries(brought)) write('after', path, text)
    }
    for (const { path, text } of candidate.edits) {
      const was = textAt(root, path)
      if (was !== undefined) write('before', path, was)
      if (text !== null) write('after', path, text)
    }
    const modules = moduleFolders(root)[0]
    if (modules !== undefined) symlinkSync(modules, join(folder, 'node_modules'), 'junction')
    return await work({ folder, files: [...files] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What it printed, however it ended. Rejects when it cannot be started, prints too much, or takes longer than `ms`. */
export function runTool(
  tool: Tool,
  args: readonly string[],
  { folder, ms, kernel }: { folder: string; ms: number; kernel: KernelApi },
): Promise<string> {
  return new Promise((resolve, reject) => {
    // A group of its own: these tools start another process, which has to end with them.
    const detached = process.platform !== 'win32'
    const env = { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' }
    const child = spawn(process.execPath, [tool.program, ...args], {
      cwd: folder,
      env,
      detached,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (child.pid !== undefined) giveWay(child.pid, detached ? 'session' : 'process')
    let [said, failure] = ['', undefined as Error | undefined]
    const end = (why: Error): void => {
      failure ??= why
      try {
        if (detached && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
        else child.kill('SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    }
    const over = new AbortController()
    const late = (): void => end(coded('deadline_exceeded', { api: tool.name, method: 'check', ms }))
    kernel.sleep(ms, over.signal).then(late, () => undefined)
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.length > OUTPUT_CHARS_MAX) end(new Error(`${tool.name} has too much to say`))
      })
    child.once('error', end)
    child.once('close', () => {
      over.abort()
      if (failure === undefined) resolve(said)
      else reject(failure)
    })
  })
}

/** One complaint, the same in both copies when it is the same. */
export interface Complaint {
  path: string
  line: number
  text: string
}

/** What stands in `after` and not, as often, in `before`. Pure. */
export function freshComplaints(before: readonly Complaint[], after: readonly Complaint[]): Complaint[] {
  const known = new Map<string, number>()
  const keyOf = ({ path, text }: Complaint): string => `${path} ${text}`
  for (const one of before) known.set(keyOf(one), (known.get(keyOf(one)) ?? 0) + 1)
  return after.filter((one) => {
    const left = known.get(keyOf(one)) ?? 0
    known.set(keyOf(one), left - 1)
    return left <= 0
  })
}

export const complaintText = ({ path, line, text }: Complaint): string => `${path}:${line} ${text}`
