# SPDX-License-Identifier: Apache-2.0
"""Clips as packets of Opus, some of which are lost: what losses.py --opus compares with. By libopus itself, through ctypes."""
import ctypes
import wave
from array import array

VOIP, FRAME_SECONDS = 2048, 0.04
# Requests of opus_encoder_ctl (opus_defines.h).
SET_BITRATE, SET_COMPLEXITY, SET_INBAND_FEC, SET_PACKET_LOSS, GET_LOOKAHEAD = 4002, 4010, 4012, 4014, 4027


class Opus:
    """A coder for one channel of 16 bits at 8, 12, 16, 24 or 48 kHz."""

    def __init__(self, library, rate):
        self.lib = ctypes.CDLL(library)
        for name in ("opus_encoder_create", "opus_decoder_create"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.rate, self.frame, self.delay = rate, int(rate * FRAME_SECONDS), ctypes.c_int32()

    def encode(self, samples, bitrate, loss):
        """The packets of 40 ms of an array of int16, for a channel that loses `loss` of them."""
        error = ctypes.c_int()
        encoder = ctypes.c_void_p(self.lib.opus_encoder_create(self.rate, 1, VOIP, ctypes.byref(error)))
        assert error.value == 0, f"opus_encoder_create: {error.value}"
        for request, value in ((SET_BITRATE, bitrate), (SET_COMPLEXITY, 10), (SET_INBAND_FEC, 1), (SET_PACKET_LOSS, round(100 * loss))):
            assert self.lib.opus_encoder_ctl(encoder, request, ctypes.c_int(value)) == 0, f"opus_encoder_ctl {request} {value}"
        self.lib.opus_encoder_ctl(encoder, GET_LOOKAHEAD, ctypes.byref(self.delay))
        packets, buffer = [], ctypes.create_string_buffer(4000)
        padded = samples + array("h", bytes(2 * (2 * self.frame - len(samples) % self.frame)))
        for at in range(0, len(padded), self.frame):
            pcm = (ctypes.c_int16 * self.frame).from_buffer_copy(padded[at:at + self.frame].tobytes())
            size = self.lib.opus_encode(encoder, pcm, self.frame, buffer, len(buffer))
            assert size > 0, f"opus_encode: {size}"
            packets.append(buffer.raw[:size])
        self.lib.opus_encoder_destroy(encoder)
        return packets

    def decode(self, packets, lost):
        """Samples of the packets without the encoder's delay; one that is lost comes from the redundancy of the next, or is concealed."""
        error = ctypes.c_int()
        decoder = ctypes.c_void_p(self.lib.opus_decoder_create(self.rate, 1, ctypes.byref(error)))
        assert error.value == 0, f"opus_decoder_create: {error.value}"
        samples, pcm = array("h"), (ctypes.c_int16 * self.frame)()
        for i, (packet, gone) in enumerate(zip(packets, lost, strict=True)):
            redundant = gone and i + 1 < len(packets) and not lost[i + 1]
            data = packets[i + 1] if redundant else None if gone else packet
            count = self.lib.opus_decode(decoder, data, len(data or b""), pcm, self.frame, int(redundant))
            assert count == self.frame, f"opus_decode: {count}"
            samples.frombytes(bytes(pcm))
        self.lib.opus_decoder_destroy(decoder)
        return samples[self.delay.value:]


def read(path):
    with wave.open(str(path)) as file:
        return file.getframerate(), array("h", file.readframes(file.getnframes()))


def write(path, rate, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


class OpusClips:
    """The clips of a folder by Opus."""

    def __init__(self, library, clips, work, bitrate):
        self.library, self.work, self.bitrate = library, work, bitrate
        self.clips = {path.stem: read(path) for path in sorted(clips.glob("*.wav"))}

    def decode(self, name, losses, share):
        """The clips without the packets of losses(count), a folder, and the bits a second that were sent."""
        folder, bits, seconds = self.work / f"opus-{name}", 0, 0
        folder.mkdir(parents=True)
        for stem, (rate, samples) in self.clips.items():
            coder = Opus(self.library, rate)
            packets = coder.encode(samples, self.bitrate, share)
            bits, seconds = bits + 8 * sum(map(len, packets)), seconds + len(samples) / rate
            write(folder / f"{stem}.wav", rate, coder.decode(packets, losses(len(packets)))[:len(samples)])
        return folder, bits / seconds
