"use strict";
/* Sound: a few partials, a soft hammer, a filter that follows the pitch. */
(() => {
const kit = (globalThis.scoreKit ??= {});

kit.makeSynth = (parts) => ({
  context: null, gains: [], voices: new Set(), volumes: parts.map(() => 1), muted: parts.map(() => false),
  open() {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!this.context && Context) {
      const context = this.context = new Context();
      const limiter = context.createDynamicsCompressor();
      const master = context.createGain();
      master.gain.value = 0.3;
      master.connect(limiter).connect(context.destination);
      this.wave = context.createPeriodicWave(
        new Float32Array(9), new Float32Array([0, 1, 0.42, 0.24, 0.15, 0.07, 0.05, 0.03, 0.02]));
      this.gains = parts.map(() => {
        const gain = context.createGain();
        gain.connect(master);
        return gain;
      });
      this.level();
    }
    if (this.context && this.context.state === "suspended") this.context.resume();
  },
  level() {
    this.gains.forEach((gain, part) => { gain.gain.value = this.muted[part] ? 0 : this.volumes[part] ** 2; });
  },
  play(midi, part, start, seconds) {
    const context = this.context;
    if (!context || !midi) return;
    const begin = Math.max(start, context.currentTime + 0.005);
    const length = Math.max(0.06, seconds);
    const envelope = context.createGain(), level = envelope.gain;
    const source = midi < 0 ? this.drum() : this.string(midi);
    const fade = midi < 0 ? 0.05 : 2.6 * Math.pow(2, (60 - midi) / 30);
    level.setValueAtTime(0, begin);
    level.linearRampToValueAtTime(0.5, begin + 0.008);
    level.setTargetAtTime(0.0001, begin + 0.008, fade / 3);
    level.setTargetAtTime(0, begin + length, 0.06);
    source.out.connect(envelope).connect(this.gains[part]);
    source.node.start(begin);
    source.node.stop(begin + length + 0.4);
    const voice = { level, node: source.node };
    this.voices.add(voice);
    source.node.onended = () => { this.voices.delete(voice); envelope.disconnect(); };
  },
  string(midi) {
    const node = this.context.createOscillator(), filter = this.context.createBiquadFilter();
    const frequency = 440 * Math.pow(2, (midi - 69) / 12);
    node.setPeriodicWave(this.wave);
    node.frequency.value = frequency;
    filter.type = "lowpass";
    filter.frequency.value = Math.min(9000, 900 + frequency * 4);
    node.connect(filter);
    return { node, out: filter };
  },
  drum() {
    const node = this.context.createBufferSource();
    const buffer = this.context.createBuffer(1, 4410, 44100), samples = buffer.getChannelData(0);
    let seed = 7;
    for (let i = 0; i < samples.length; i++) samples[i] = (seed = (seed * 16807) % 2147483647) / 1073741824 - 1;
    node.buffer = buffer;
    return { node, out: node };
  },
  hush() {
    for (const { level, node } of this.voices) {
      level.cancelScheduledValues(0);
      level.setTargetAtTime(0, this.context.currentTime, 0.02);
      node.stop(this.context.currentTime + 0.12);
    }
  },
});
})();
