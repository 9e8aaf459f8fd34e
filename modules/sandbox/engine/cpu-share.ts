/** How much of a core one guest used over the last seconds. Told its processor time once a second. */

const SECONDS = 10

export class CpuShare {
  private readonly share: number
  private readonly samples: number[] = []

  constructor(share: number) {
    this.share = share
  }

  isOver(cpuMs: number): boolean {
    const { samples } = this
    samples.push(cpuMs)
    const used = cpuMs - (samples.length > SECONDS ? (samples.shift() as number) : 0)
    return used > this.share * SECONDS * 1_000
  }

  get reason(): string {
    return `more than ${this.share * 100} % of a core over ${SECONDS} s`
  }
}
