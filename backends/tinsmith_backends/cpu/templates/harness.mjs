// Runs an npm package that Tinsmith generated, for `tinsmith verify`, `run` and `bench`: the protocol of harness.c.j2.
//
//   node harness.mjs FOLDER layers N | outputs N | constants 0 | time N
import { readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder, mode, countText] = process.argv;
const count = Number(countText);
const program = JSON.parse(readFileSync(join(folder, "program.json"), "utf8"));
const network = await import(pathToFileURL(join(folder, "index.mjs")));
const net = await network.load();
const wasm = net.exports;
const sizes = { int8: 1, int16: 2, int32: 4, float32: 4, int64: 8 };
const POISON = 0x5a;

const bytes = (address, length) => new Uint8Array(wasm.memory.buffer, address, length);
const sizeOf = (buffer) => program.buffers[buffer].count * sizes[program.buffers[buffer].element];
const ports = [...program.inputs, ...program.outputs];

function place(buffer) {
  const port = ports.find((p) => p.buffer === buffer);
  return port ? wasm[`${port.identifier}_stored`].value : wasm.arena.value + program.buffers[buffer].offset;
}

function put(data) {
  for (let done = 0; done < data.length; ) {
    try {
      done += writeSync(1, data, done);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function get(length) {
  const data = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    let read = 0;
    try {
      read = readSync(0, data, done, length - done, null);
    } catch (error) {
      if (error.code === "EAGAIN") continue;
      throw error;
    }
    if (read === 0) throw new Error("standard input ended within a sample");
    done += read;
  }
  return data;
}

function feeds() {
  const values = {};
  for (const port of program.inputs) {
    values[port.identifier] = new Float32Array(get(4 * program.buffers[port.buffer].count).buffer);
  }
  return values;
}

// Whatever was in the arena and in the outputs must not matter.
function poison() {
  bytes(wasm.arena.value, program.arena_bytes).fill(POISON);
  for (const port of program.outputs) bytes(place(port.buffer), sizeOf(port.buffer)).fill(POISON);
}

function steps(values) {
  for (const port of program.inputs) {
    new Float32Array(wasm.memory.buffer, wasm[`${port.identifier}_real`].value).set(values[port.identifier]);
    wasm[`quantize_${port.identifier}`]();
    put(bytes(place(port.buffer), sizeOf(port.buffer)));
  }
  program.steps.forEach((step, number) => {
    if (wasm.step(number)) throw new Error(`step ${number} returned an error`);
    put(bytes(place(step.output), sizeOf(step.output)));
  });
}

function outputs(values) {
  const results = net.run(values);
  for (const port of program.outputs) {
    if (port.function !== null) put(bytes(place(port.buffer), sizeOf(port.buffer)));
    const result = results[port.identifier];
    put(new Uint8Array(result.buffer, result.byteOffset, result.byteLength));
  }
}

if (mode === "constants") {
  put(bytes(wasm[`${program.name}_weights`].value, program.constants_bytes || 16));
} else if (mode === "time") {
  const values = feeds();
  net.run(values);
  const seconds = new Float64Array(count).map(() => {
    const begin = performance.now();
    wasm.run();
    return (performance.now() - begin) / 1000;
  });
  put(new Uint8Array(seconds.buffer));
} else {
  for (let i = 0; i < count; i++) {
    const values = feeds();
    if (mode === "layers") {
      poison();
      steps(values);
    }
    poison();
    outputs(values);
  }
}
