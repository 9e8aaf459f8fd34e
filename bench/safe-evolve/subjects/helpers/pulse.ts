/** Answers at once. How long it takes while something else is changed tells how long the whole system stood still. */
export class Module {
  beat(): number {
    return 1
  }
}
