/**
 * Transformed code → the function that runs it: a script of its own, under a URL of its own, that V8 forgets with the
 * last version that uses it. The form V8 compiled it to goes into the pack, found by content: the next start parses
 * nothing. A form of another V8, or of other flags, has another key; one that V8 refuses all the same is made anew.
 * Called by the evaluator.
 */
import { cachedDataVersionTag } from 'node:v8'
import { Script } from 'node:vm'
import type { ContentCache } from '../contracts/seams.ts'
import { shortHash } from '../lib/hash.ts'
import type { Transformed } from './transform.ts'

/** Lines before those of the code. */
export const PREFIX_LINES = 1

/** V8 of Node 20 gives a script read from its compiled form the name under which that was made: it must be the same. */
const KEEPS_NAME = Number.parseInt(process.versions.v8, 10) < 12

export type ModuleBody = (...args: unknown[]) => Promise<void>

export interface CompilerOptions {
  /** what the code finds bound, in the order of the body's parameters */
  names: readonly string[]
  cache: ContentCache | undefined
  /** all code that may be compiled, with a key that stands for its content */
  code: () => Iterable<readonly [key: string, code: Transformed]>
}

/** What one file was last compiled to for one service. */
interface Compiled {
  codeKey: string
  transformed: Transformed
  /** under which the next start will run it */
  url: string
  /** where the compiled form for that can be had from, if the cache has none */
  script: Script | undefined
}

export class Compiler {
  /** file and service → what it was compiled to */
  private readonly compiled = new Map<string, Compiled>()
  private readonly head: string
  private readonly kind: string
  private readonly cache: ContentCache | undefined

  constructor({ names, cache, code }: CompilerOptions) {
    this.head = `(async function(${names.join()}){"use strict";{`
    // V8 itself compares no more of the text than its length.
    this.kind = `compiled ${process.versions.v8} ${cachedDataVersionTag()} ${shortHash(this.head)}`
    this.cache = cache
    cache?.keep('compiled', () => this.inUse(code()))
  }

  /** Throws what V8 throws for code it does not understand. */
  compile(codeKey: string, transformed: Transformed, url: string): ModuleBody {
    const [known] = this.cache?.bytes(this.keyOf(codeKey, url)) ?? []
    const script = this.scriptOf(transformed, url, known)
    if (this.cache !== undefined) {
      const [place, next] = urlsOf(url)
      const isGood = script.cachedDataRejected !== false && (next === url || !KEEPS_NAME)
      this.compiled.set(place, { codeKey, transformed, url: next, script: isGood ? script : undefined })
    }
    return script.runInThisContext() as ModuleBody
  }

  private scriptOf(transformed: Transformed, filename: string, cachedData?: Buffer): Script {
    return new Script(`${this.head}\n${transformed.code}\n}\n})`, { filename, cachedData })
  }

  private keyOf(codeKey: string, url: string): string {
    return `${this.kind}, ${codeKey}${KEEPS_NAME ? ` ${url}` : ''}`
  }

  private *inUse(
    code: Iterable<readonly [string, Transformed]>,
  ): Iterable<readonly [key: string, parts: () => readonly Buffer[]]> {
    const present = new Set(Array.from(code, ([key]) => key))
    for (const [place, { codeKey, transformed, url, script }] of this.compiled) {
      const key = this.keyOf(codeKey, url)
      const known = script === undefined ? this.cache?.bytes(key) : undefined
      if (!present.has(codeKey)) this.compiled.delete(place)
      else if (known !== undefined) yield [key, () => known]
      // From the script that runs come also the functions that were compiled since, because they were called.
      else yield [key, () => [(script ?? this.scriptOf(transformed, url)).createCachedData()]]
    }
  }
}

/** What a URL has in common over all versions, and the URL the first version of the next start will have. */
function urlsOf(url: string): [place: string, next: string] {
  const at = url.lastIndexOf('&g=')
  const place = url.slice(0, at)
  return [place, url.startsWith('&g=0', at) ? url : `${place}&g=1`]
}
