#include "tests/simulation/weather.h"

enum { FINE = 4, CALM = 6, ONE_IN = 3 };

/* Mostly nothing; else up to the most there is. */
static unsigned draw(struct dice *dice, unsigned one_in, unsigned most)
{
    if (dice_below(dice, one_in) > 0)
        return 0;
    return 1 + dice_below(dice, most);
}

/* One run in FINE knows one kind of trouble in CALM; the others one in ONE_IN. */
struct weather weather_draw(struct dice *dice)
{
    const unsigned one_in = dice_below(dice, FINE) == 0 ? CALM : ONE_IN;

    return (struct weather){
#define X(name, most) .name = draw(dice, one_in, most),
        WEATHER_OF_CALLS(X) WEATHER_OF_ROUNDS(X) WEATHER_OF_WORK(X) WEATHER_OF_LIVES(X)
#undef X
    };
}
