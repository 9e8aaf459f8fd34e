/** Stands for a model that makes vectors: words fall into 32 places by their letters. */
export class Module {
  embed(text: string): number[] {
    const vector = Array.from({ length: 32 }, () => 0)
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
      let place = 0
      for (const letter of word) place = (place * 31 + letter.charCodeAt(0)) % 32
      vector[place] = (vector[place] ?? 0) + 1
    }
    return vector
  }
}
