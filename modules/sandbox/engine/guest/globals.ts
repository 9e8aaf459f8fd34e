/**
 * The globals of an isolate: what could be used against its limits is taken away, what modules expect is put in. Called
 * once, before any code of a module.
 */
import { AbortController, AbortSignal, DOMException, Event, EventTarget } from './abort.ts'
import { atob, btoa } from './base64.ts'
import type { Channel } from './channel.ts'
import { createConsole } from './console.ts'
import { createCrypto } from './random.ts'
import { structuredClone } from './clone.ts'
import { construct, defineProperty } from './primordials.ts'
import { TextDecoder, TextEncoder } from './text.ts'
import { URLSearchParams } from './query.ts'
import type { Timers } from './timers.ts'
import { URL } from './url.ts'

/**
 * Memory that no limit of an isolate counts (`WebAssembly`, shared and growing buffers), threads' tools, and callbacks
 * that run outside of every entry.
 */
export const REMOVED = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef'] as const

const global = globalThis as unknown as Record<string, unknown>

const hidden = (name: string, value: unknown): void => {
  defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false })
}

export function installGlobals(options: { channel: Channel; timers: Timers; seed: string }): void {
  for (const name of REMOVED) Reflect.deleteProperty(global, name)
  hidden('ArrayBuffer', fixedArrayBuffer())
  const { channel, timers, seed } = options
  const timer =
    (every: boolean) =>
    (work: unknown, ms?: unknown, ...args: unknown[]): number =>
      timers.set(work, ms, every, args)
  const clear = (id: unknown): void => timers.clear(id)
  const values: Record<string, unknown> = {
    AbortController,
    AbortSignal,
    DOMException,
    Event,
    EventTarget,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
    atob,
    btoa,
    clearImmediate: clear,
    clearInterval: clear,
    clearTimeout: clear,
    console: createConsole(channel),
    crypto: createCrypto(channel, seed),
    queueMicrotask(work: () => void): void {
      void Promise.resolve().then(work)
    },
    setImmediate: (work: unknown, ...args: unknown[]) => timers.set(work, 0, false, args),
    setInterval: timer(true),
    setTimeout: timer(false),
    structuredClone,
  }
  for (const name of Object.keys(values)) hidden(name, values[name])
}

/** Buffers of one size: those that grow are not counted against the memory of the isolate. */
function fixedArrayBuffer(): unknown {
  const Native = ArrayBuffer
  const Fixed: object = function ArrayBuffer(this: unknown, length: unknown): object {
    const { target } = { target: new.target as unknown }
    if (target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'")
    return construct(Native, [length], (target === Fixed ? Native : target) as typeof Native) as object
  }
  const { prototype } = Native
  Reflect.deleteProperty(prototype, 'resize')
  defineProperty(prototype, 'constructor', { value: Fixed, writable: true, configurable: true })
  defineProperty(Fixed, 'prototype', { value: prototype, writable: false })
  defineProperty(Fixed, 'length', { value: 1, configurable: true })
  defineProperty(Fixed, 'isView', { value: Native.isView, writable: true, configurable: true })
  defineProperty(Fixed, Symbol.species, { get: () => Fixed, configurable: true })
  return Fixed
}
