/* The libraries' loops and what else sets a variable, for cppcheck, which does not read the libraries' headers. */
#define HASH_ITER(hh, head, el, tmp) for ((el) = (head), (tmp) = 0; (el); (el) = (tmp))
#define HASH_FIND(hh, head, key, len, out) ((out) = hash_find(head, key, len))
#define HASH_FIND_STR(head, key, out) ((out) = hash_find(head, key, 0))
#define DL_FOREACH(head, el) for ((el) = (head); (el); (el) = (el)->next)
#define json_array_foreach(array, i, value)                                                        \
    for (i = 0; (value = json_array_get(array, i)) != 0; i++)
#define json_object_foreach(object, key, value)                                                    \
    for (key = first_key(object); key && (value = json_object_get(object, key)) != 0;              \
         key = next_key(object, key))
