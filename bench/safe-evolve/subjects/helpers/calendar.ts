/** Stands for a calendar: closed on the last two days of each seven. */
export class Module {
  async next(day: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 2))
    const weekday = day % 7
    return weekday > 4 ? day + 7 - weekday : day
  }
}
