/**
 * Turns stack frames of evaluated code back into the source as it was written, and remembers which service a thrown
 * value came from. Every evaluated file runs under the URL `file:///…/x.ts?s=<service>&g=<generation>`; frames with
 * such a URL are mapped through the file's two source maps when, and only when, a stack is read.
 */
import { findSourceMap, SourceMap } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { CodeOwner } from '../contracts/seams.ts'
import { PREFIX_LINES } from './compile.ts'
import type { RawMap, Transformed } from './transform.ts'

/** URLs of released code stay mapped for late errors, this many of them. */
const RELEASED_URLS_MAX = 256

interface UrlEntry {
  path: string
  owner: CodeOwner
  transformed: Transformed
}

interface Place {
  file: string
  line: number
  column: number
}

const decoded = new WeakMap<RawMap, SourceMap>()

function decode(map: RawMap): SourceMap {
  let found = decoded.get(map)
  if (found === undefined) {
    found = new SourceMap({
      file: '',
      version: 3,
      sources: ['source'],
      sourcesContent: [],
      names: [...map.names],
      mappings: map.mappings,
      sourceRoot: '',
    })
    decoded.set(map, found)
  }
  return found
}

/** 1-based place in the evaluated code → 1-based place in the source. Exact for every position with a mapping. */
export function originalPlace(
  transformed: Transformed,
  line: number,
  column: number,
): { line: number; column: number } {
  let at = { line: line - PREFIX_LINES - 1, column: column - 1 }
  for (const map of transformed.maps) {
    const found = decode(map).findEntry(Math.max(0, at.line), Math.max(0, at.column))
    if (!('originalLine' in found)) break
    at = { line: found.originalLine, column: found.originalColumn }
  }
  return { line: at.line + 1, column: at.column + 1 }
}

/** Most paths need no escapes: looking takes a tenth of the time of making a URL. */
const urlOf = (path: string): string => (/^\/[\w./-]*$/.test(path) ? `file://${path}` : pathToFileURL(path).href)

export class Stacks {
  private readonly urls = new Map<string, UrlEntry>()
  private readonly released: string[] = []
  private readonly owners = new WeakMap<object, CodeOwner>()
  private readonly places = new WeakMap<object, Place>()

  /** The URL under which a file's code runs. Register before compiling, release with the record. */
  register(path: string, owner: CodeOwner, transformed: Transformed): string {
    const base = `${urlOf(path)}?s=${encodeURIComponent(owner.service)}&g=${owner.generation}`
    // A candidate that never went live gave its number back: two versions may be called alike.
    let url = base
    for (let attempt = 2; this.urls.has(url); attempt++) url = `${base}&a=${attempt}`
    this.urls.set(url, { path, owner, transformed })
    return url
  }

  release(url: string): void {
    this.released.push(url)
    while (this.released.length > RELEASED_URLS_MAX) this.urls.delete(this.released.shift() ?? '')
  }

  get size(): number {
    return this.urls.size
  }

  ownerOf(thrown: unknown): CodeOwner | undefined {
    return this.lookUp(this.owners, thrown)
  }

  placeOf(thrown: unknown): Place | undefined {
    return this.lookUp(this.places, thrown)
  }

  /** Where a place (1-based) in code that runs under one of our URLs stands in the source. */
  placeAt(url: string, line: number, column: number): Place | undefined {
    const entry = this.urls.get(url)
    return entry && { file: entry.path, ...originalPlace(entry.transformed, line, column) }
  }

  private lookUp<T>(where: WeakMap<object, T>, thrown: unknown): T | undefined {
    if (typeof thrown !== 'object' || thrown === null) return undefined
    // Stacks are formatted when first read: reading makes `prepare` below run.
    void (thrown as { stack?: unknown }).stack
    return where.get(thrown) ?? this.lookUp(where, (thrown as { cause?: unknown }).cause)
  }

  /** Installs the formatter for the whole process; the one before it still serves stacks without our frames. */
  install(): () => void {
    const before = Error.prepareStackTrace
    const prepare = (error: Error, frames: NodeJS.CallSite[]): unknown => {
      try {
        if (frames.some((frame) => this.entryOf(frame) !== undefined)) return this.format(error, frames)
      } catch {
        // A formatter must never throw: fall through to the plain form.
      }
      if (before !== undefined) return before(error, frames) as unknown
      return [headOf(error), ...frames.map((frame) => `    at ${plainFrame(frame)}`)].join('\n')
    }
    Error.prepareStackTrace = prepare
    return () => {
      if (Error.prepareStackTrace === prepare) Error.prepareStackTrace = before
    }
  }

  private entryOf(frame: NodeJS.CallSite): UrlEntry | undefined {
    const url = frame.getScriptNameOrSourceURL() as string | null | undefined
    return typeof url === 'string' && url.includes('?s=') ? this.urls.get(url) : undefined
  }

  private format(error: Error, frames: NodeJS.CallSite[]): string {
    const lines = frames.map((frame) => {
      const entry = this.entryOf(frame)
      if (entry === undefined) return plainFrame(frame)
      const place = originalPlace(entry.transformed, frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1)
      // The kernel stands on every stack; code of a service on the same stack is the likelier cause.
      const known = this.owners.get(error)
      if (known === undefined || (known.service === 'kernel' && entry.owner.service !== 'kernel')) {
        this.owners.set(error, entry.owner)
        this.places.set(error, { file: entry.path, ...place })
      }
      return `${callee(frame)}${entry.path}:${place.line}:${place.column}${callee(frame) === '' ? '' : ')'}`
    })
    return [headOf(error), ...lines.map((line) => `    at ${line}`)].join('\n')
  }
}

function headOf(error: Error): string {
  try {
    return Error.prototype.toString.call(error)
  } catch {
    return 'Error'
  }
}

/** What Node knows of a script: asking it decodes the whole map each time. */
const nodeMaps = new Map<string, { path: string; map: SourceMap | undefined }>()
const NODE_MAPS_MAX = 1_000

function nodeMapOf(url: string): { path: string; map: SourceMap | undefined } {
  let known = nodeMaps.get(url)
  if (known === undefined) {
    const path = url.startsWith('file:') ? fileURLToPath(url.split('?')[0] ?? url) : url
    known = { path, map: findSourceMap(url) }
    if (nodeMaps.size >= NODE_MAPS_MAX) nodeMaps.clear()
    nodeMaps.set(url, known)
  }
  return known
}

/** A frame of code Node loaded itself; mapped when Node knows a map: compiled, or under a TypeScript hook. */
function plainFrame(frame: NodeJS.CallSite): string {
  const text = String(frame)
  const found = /(file:\/\/[^\s)]+?|\/[^\s)]+?):(\d+):(\d+)(?=\)?$)/.exec(text)
  if (found === null) return text
  const [whole, url = '', line, column] = found
  const { path, map } = nodeMapOf(url)
  const entry = map?.findEntry(Number(line) - 1, Number(column) - 1)
  if (entry === undefined || !('originalLine' in entry)) return text.replace(whole, `${path}:${line}:${column}`)
  const { originalSource: source, originalLine, originalColumn } = entry
  const from = source.startsWith('file:') ? fileURLToPath(source) : path
  return text.replace(whole, `${from}:${originalLine + 1}:${originalColumn + 1}`)
}

/** `async Module.add (`, or nothing for a frame without a name. */
function callee(frame: NodeJS.CallSite): string {
  const name = frame.getFunctionName() ?? ''
  const prefix = isAsyncFrame(frame) ? 'async ' : frame.isConstructor() ? 'new ' : ''
  const type = frame.isToplevel() || frame.isConstructor() ? '' : (frame.getTypeName() ?? '')
  const dotted = type === '' || name.startsWith(`${type}.`) ? name : `${type}.${name === '' ? '<anonymous>' : name}`
  return dotted === '' || dotted === 'eval' ? '' : `${prefix}${dotted} (`
}

const isAsyncFrame = (frame: NodeJS.CallSite): boolean => (frame as { isAsync?: () => boolean }).isAsync?.() === true
