/** What is taken back from a kernel that failed: never the nothing of one that had taken nothing over. */
import { expect, it } from 'vitest'
import type { KernelPort } from '../../modules/contracts/kernel-port.ts'
import type { KernelState } from '../../modules/contracts/kernel-state.ts'
import { stateLeft } from '../../modules/lib/state-left.ts'

const reads = { from: 1, to: 1 }
const stateWith = (services: KernelState['services']): KernelState => ({ version: 1, services }) as KernelState

function leftBy(exportState: () => KernelState, given: KernelState): { state: KernelState; told: string[] } {
  const told: string[] = []
  const kernel = { letGo: () => undefined, exportState } as unknown as KernelPort
  return { state: stateLeft(kernel, given, reads, (message) => void told.push(message)), told }
}

it('what it has done with the services it was given is taken back', () => {
  const given = stateWith(new Map())
  const left = stateWith(given.services)
  expect(leftBy(() => left, given)).toEqual({ state: left, told: [] })
})

it('services of its own are none: what it was given is taken back', () => {
  const given = stateWith(new Map([['a', {} as never]]))
  const { state, told } = leftBy(() => stateWith(new Map()), given)
  expect(state).toBe(given)
  expect(told).toHaveLength(1)
})

it('so it is when it cannot be asked', () => {
  const given = stateWith(new Map())
  const { state, told } = leftBy(() => {
    throw new Error('it is gone')
  }, given)
  expect(state).toBe(given)
  expect(told[0]).toContain('it is gone')
})
