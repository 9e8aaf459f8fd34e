/**
 * Code that one system of a test file has transformed and compiled, for the systems that come after it in the same
 * process: the files of the product are the same for all of them. A second start of the product finds the same in its
 * pack; here nothing is written. Used by the test system.
 */
import type { ContentCache } from '../../modules/contracts/seams.ts'

const known = new Map<string, readonly Buffer[]>()

export class CodeCache implements ContentCache {
  private readonly users = new Map<string, Parameters<ContentCache['keep']>[1]>()

  get(key: string): readonly string[] | undefined {
    return this.bytes(key)?.map(String)
  }

  bytes(key: string): readonly Buffer[] | undefined {
    return known.get(key)
  }

  keep(name: string, inUse: Parameters<ContentCache['keep']>[1]): void {
    this.users.set(name, inUse)
  }

  /** Takes over what is in use now. */
  save(): void {
    for (const inUse of this.users.values()) {
      for (const [key, parts] of inUse()) {
        if (!known.has(key)) known.set(key, parts().map(toBytes))
      }
    }
  }
}

const toBytes = (part: string | Buffer): Buffer => (typeof part === 'string' ? Buffer.from(part) : part)
