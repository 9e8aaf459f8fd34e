/**
 * The values people approved last, for tuning that goes through without one: small steps are measured from there, so
 * they do not add up. A value that is no longer what the system set it to was set by a person, and counts anew. In a
 * file of its own beside the ledger. Used by the policy's module.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Change, ValueChange } from '../../contracts/policy.ts'
import type { Json } from '../../contracts/seams.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { writeWholeLater } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'

const SHOWN = 'runtime/control/baselines.json'
const KEPT_MAX = 10_000
const SECRET_MODE = 0o600
const fileSchema = z.record(z.string(), z.object({ approved: z.json(), last: z.json() }))

/** `last`: what the system set it to. */
type Known = Map<string, { approved: Json; last: Json }>

const nameOf = ({ file, key }: ValueChange): string => `${file} ${key}`

export class Baselines {
  private readonly path: string
  private known: Known | undefined

  constructor(root: string) {
    this.path = join(root, SHOWN)
  }

  /** The change, with the value its distance is measured from. Throws when what is known cannot be read. */
  measured<C extends Change>(change: C): C {
    if (change.kind !== 'value' || change.old === undefined) return change
    const entry = this.read().get(nameOf(change))
    if (entry === undefined || canonicalJson(entry.last) !== canonicalJson(change.old)) return change
    return { ...change, approved: entry.approved }
  }

  /** Of changes that go through without a person. */
  async keep(changes: readonly Change[]): Promise<void> {
    const values = changes.filter((change) => change.kind === 'value')
    if (values.length === 0) return
    const known: Known = new Map(this.read())
    for (const change of values) {
      const { approved = change.old, new: next } = change
      known.delete(nameOf(change))
      if (approved !== undefined && next !== undefined) known.set(nameOf(change), { approved, last: next })
    }
    for (const name of known.keys()) if (known.size > KEPT_MAX) known.delete(name)
    try {
      const text = `${canonicalJson(Object.fromEntries(known))}\n`
      await writeWholeLater(this.path, text, { mode: SECRET_MODE, flush: true })
    } catch (thrown) {
      throw writeFailure(thrown, SHOWN)
    }
    this.known = known
  }

  private read(): Known {
    this.known ??= existsSync(this.path)
      ? new Map(Object.entries(fileSchema.parse(JSON.parse(readFileSync(this.path, 'utf8')))))
      : new Map()
    return this.known
  }
}
