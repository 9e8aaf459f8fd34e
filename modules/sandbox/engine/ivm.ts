/**
 * What the engine uses of isolated-vm, and where it is found. Never used of it: references and copies handed to a guest,
 * cached code, and entries that block the thread (a test keeps these names out of this folder).
 */
import { createRequire } from 'node:module'
import type { ErrorData } from '../../contracts/errors.ts'
import { coded, reasonOf, toErrorData } from '../../lib/errors.ts'
import { nativePackage } from '../../lib/native.ts'
import { keepLoopsInterruptible } from './interruptible-loops.ts'

export interface EntryRef {
  apply(
    receiver: undefined,
    args: readonly unknown[],
    options: { timeout: number; arguments?: { copy: true } },
  ): Promise<unknown>
}

export interface IvmContext {
  eval(code: string, options: { timeout: number; filename: string }): Promise<unknown>
  evalClosure(
    code: string,
    args: readonly unknown[],
    options: { timeout: number; filename: string; result: { reference: true; promise: true } },
  ): Promise<EntryRef>
}

export interface IvmIsolate {
  readonly cpuTime: bigint
  readonly isDisposed: boolean
  createContext(): Promise<IvmContext>
  getHeapStatistics(): Promise<{ used_heap_size: number; externally_allocated_size: number }>
  dispose(): void
}

export interface Ivm {
  Isolate: new (options: { memoryLimit: number; onCatastrophicError?: (message: string) => void }) => IvmIsolate
  Callback: new (work: (...args: never[]) => void, options: { ignored: true }) => object
}

export type FoundIvm = { ivm: Ivm; path: string } | { error: ErrorData }

const found = new Map<string, FoundIvm>()

/** Looked for once a process. `path` is the native file itself: all that a child has to read. */
export function findIvm(nodeMajor?: number): FoundIvm {
  const name = nativePackage('isolated-vm', nodeMajor)
  let known = found.get(name)
  if (known === undefined) {
    known = look(name)
    found.set(name, known)
  }
  return known
}

function look(name: string): FoundIvm {
  const require = createRequire(import.meta.url)
  try {
    const ivm = require(name) as Ivm
    const path = Object.entries(require.cache).find(([, module]) => isNativePart(module?.exports, ivm))?.[0]
    if (path === undefined) throw new Error('its native part was not found')
    keepLoopsInterruptible()
    return { ivm, path }
  } catch (thrown) {
    const reason = reasonOf(thrown).split('\n')[0] ?? ''
    const { node } = process.versions
    return { error: toErrorData(coded('sandbox_unavailable', { package: name, reason, node })) }
  }
}

/** The package gives out the member `ivm` of its native part. */
const isNativePart = (exports: unknown, ivm: Ivm): boolean => (exports as { ivm?: unknown } | undefined)?.ivm === ivm

/** From the native file, with nothing around it. */
export function loadIvm(path: string): Ivm {
  const module: { exports: { ivm?: Ivm } } = { exports: {} }
  process.dlopen(module, path)
  return module.exports.ivm as Ivm
}
