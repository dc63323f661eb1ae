// Calls under way. Whoever asks the same meanwhile waits for the same answer; who stops waiting disturbs nobody else.

interface Flight {
  answer: Promise<unknown>;
  waiting: number;
  stop: AbortController;
}

export interface Flights {
  share<T>(name: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** What is read from now on is read anew: something was changed, or time stood still. */
  forgetReads(): void;
}

export function createFlights(): Flights {
  const flights = new Map<string, Flight>();

  function end(name: string, flight: Flight): void {
    if (flights.get(name) === flight) flights.delete(name);
  }

  function begin(name: string, start: (signal: AbortSignal) => Promise<unknown>): Flight {
    const stop = new AbortController();
    const flight: Flight = { stop, waiting: 0, answer: start(stop.signal).finally(() => end(name, flight)) };
    flights.set(name, flight);
    return flight;
  }

  return {
    share: <T>(name: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) =>
      new Promise<T>((resolve, reject) => {
        signal?.throwIfAborted();
        const flight = flights.get(name) ?? begin(name, start);
        const leave = (): void => {
          reject(signal!.reason as Error);
          flight.waiting -= 1;
          if (flight.waiting) return;
          end(name, flight);
          flight.stop.abort(signal!.reason);
        };
        flight.waiting += 1;
        signal?.addEventListener("abort", leave);
        flight.answer
          .finally(() => signal?.removeEventListener("abort", leave))
          .then((answer) => resolve(answer as T), reject);
      }),
    forgetReads() {
      for (const name of flights.keys()) if (name.startsWith("GET")) flights.delete(name);
    },
  };
}
