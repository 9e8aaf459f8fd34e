/**
 * How long services took to answer well again after they failed. A failure is what the kernel tells as one; a good
 * answer is a call that began after it and did not fail, or, where no such call was told, one the kernel counted.
 */
import { Recent } from './recent.ts'

interface Course {
  /** since when it has not answered well (epoch ms) */
  down: number | undefined
  /** the last failure since then */
  lastFailed: number
  /** begin and end of the last good call that was told */
  good: { at: number; end: number } | undefined
  times: Recent
}

const TIMES_MAX = 100

export class Recoveries {
  private readonly courses = new Map<string, Course>()
  private readonly max: number
  private readonly gapMs: number

  /** `gapMs`: after the last failure, how long it may go unasked before nobody knows when it was well again. */
  constructor(max: number, gapMs: number) {
    this.max = max
    this.gapMs = gapMs
  }

  failed(api: string, at: number): void {
    const course = this.course(api)
    if (course === undefined) return
    const { good } = course
    const isSame = course.down !== undefined && at - course.lastFailed <= this.gapMs
    course.lastFailed = at
    if (isSame) return
    course.down = at
    // Told late: it has answered meanwhile.
    if (good !== undefined && good.at >= at) this.recovered(course, good.end)
  }

  answered(api: string, at: number, end: number): void {
    const course = this.course(api)
    if (course === undefined) return
    course.good = { at, end }
    if (course.down !== undefined && at >= course.down) this.recovered(course, end)
  }

  /** By its counts it has answered well between the two times. */
  counted(api: string, since: number, now: number): void {
    const course = this.courses.get(api)
    if (course?.down !== undefined && course.down < since) this.recovered(course, now)
  }

  /** Seconds. */
  since(api: string, time: number): number[] {
    return this.courses.get(api)?.times.since(time) ?? []
  }

  private recovered(course: Course, end: number): void {
    if (end - course.lastFailed <= this.gapMs) course.times.add(end, Math.max(0, end - (course.down ?? end)) / 1000)
    course.down = undefined
  }

  private course(api: string): Course | undefined {
    const known = this.courses.get(api)
    if (known !== undefined || this.courses.size >= this.max) return known
    const made = { down: undefined, lastFailed: 0, good: undefined, times: new Recent(TIMES_MAX) }
    this.courses.set(api, made)
    return made
  }
}
