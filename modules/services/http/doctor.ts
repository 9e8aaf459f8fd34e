/**
 * What `mm doctor` finds, for whoever has only the page: the same program, in a process of its own, so that what it loads
 * and waits for keeps nobody waiting here. One look at a time: who asks meanwhile gets the same answer. Called by its route.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { KernelApi } from '../../contracts/module.ts'
import { coded } from '../../lib/errors.ts'

export interface Findings {
  /** epoch milliseconds */
  at: number
  findings: { check: string; ok: boolean; message: string; hint: string }[]
}

const MM = join(import.meta.dirname, '..', '..', '..', 'bin', 'mm.js')
/** A thousand modules are loaded in a tenth of it. */
const LOOK_MS_MAX = 60_000
const BYTES_MAX = 8 * 1024 * 1024

export class Doctor {
  readonly #kernel: Pick<KernelApi, 'clock' | 'own' | 'paths'>
  readonly #program: string
  #underWay: Promise<Findings> | undefined

  /** `program`: the `mm` of this package without it. */
  constructor(kernel: Pick<KernelApi, 'clock' | 'own' | 'paths'>, program = MM) {
    this.#kernel = kernel
    this.#program = program
  }

  /** Rejects with `doctor_failed`. */
  look(): Promise<Findings> {
    this.#underWay ??= this.#run().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #run(): Promise<Findings> {
    const text = await this.#output()
    try {
      const told = JSON.parse(text) as Findings['findings']
      const findings = told.map(({ check, ok, message, hint }) => ({ check, ok, message, hint }))
      return { at: this.#kernel.clock.now(), findings }
    } catch {
      throw coded('doctor_failed', { reason: 'it ended without a report' })
    }
  }

  /** It ends with 1 when something is wrong, and has told what. */
  #output(): Promise<string> {
    const args = ['--no-node-snapshot', this.#program, 'doctor', '--json', '--root', this.#kernel.paths.root]
    return new Promise((resolve, reject) => {
      const options = { timeout: LOOK_MS_MAX, maxBuffer: BYTES_MAX }
      const child = execFile(process.execPath, args, options, (error, stdout, stderr) => {
        void release()
        if (stdout !== '') resolve(stdout)
        else
          reject(
            coded('doctor_failed', { reason: stderr.trim().split('\n').at(-1) || (error?.message ?? 'no reason') }),
          )
      })
      const release = this.#kernel.own(() => void child.kill(), 'doctor')
    })
  }
}
