"""Speaks a text into a WAV file by eSpeak NG; run by ``.venv-real-model/bin/python`` with the file and the text."""

import ctypes
import sys
import wave

import espeakng_loader

SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT of speak_lib.h: the samples are handed to the callback
RATE, WORDS_PER_MINUTE = 1, 150  # espeakRATE
UTF_8 = 1  # espeakCHARS_UTF8
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main(path: str, text: str) -> None:
    """Write the speech of a text."""
    speech = bytearray()

    @CALLBACK
    def keep(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
        if samples and count > 0:
            speech.extend(ctypes.string_at(samples, 2 * count))
        return 0

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    library.espeak_SetSynthCallback(keep)
    library.espeak_SetVoiceByName(b"en")
    library.espeak_SetParameter(RATE, WORDS_PER_MINUTE, 0)
    spoken = text.encode()
    library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, UTF_8, None, None)
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(speech))


if __name__ == "__main__":
    main(*sys.argv[1:])
